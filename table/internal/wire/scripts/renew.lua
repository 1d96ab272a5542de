-- Renews the owner's lease, or gives it up. ARGV: epoch, the length of the lease in microseconds; 0: it is given up. Once it is given
-- up a renewal that is late changes nothing.
local t = readTruth()
if not t.epoch then return answer('LOST', t) end
if t.epoch ~= EPOCH then return answer('FENCED', t) end
needs('HDEL', TRUTH)
local no = barred()
if no then return no end
if not redis.call('HGET', TRUTH, LEASE[1]) then return answer('STALE', t) end
if ARGV[2] == '0' then
  redis.call('HDEL', TRUTH, unpack(LEASE))
else
  prolong(ARGV[2])
end
return answer('OK', t)
