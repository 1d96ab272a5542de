-- Tells whether effect ARGV[3] was had; if not, burns its number so that it never will be.
local t = truth()
if not t[1] then return answer('LOST', t) end
if t[1] ~= ARGV[1] then return answer('FENCED', t) end
local now, prev, seq = tonumber(t[2]), tonumber(ARGV[2]), tonumber(ARGV[3])
if now < prev then return answer('LOST', t) end
if now == seq then return answer('OK', t) end
if now == prev then
  t[2] = whole(seq + 1)
  redis.call('HSET', TRUTH, 'seq', t[2], 'last', '')
end
return answer('BURNED', t)
