-- Tells whether the effect with the number ARGV[3] was applied. If it was not, burns the number, so that it never will be.
-- ARGV: epoch, prev, seq.
local t = readTruth()
if not t.epoch then return answer('LOST', t) end
if t.epoch ~= ARGV[1] then return answer('FENCED', t) end
local now, prev, seq = tonumber(t.seq), tonumber(ARGV[2]), tonumber(ARGV[3])
if now < prev then return answer('LOST', t) end
if now == seq then return answer('OK', t) end
if now == prev then
  t.seq, t.last = whole(seq + 1), ''
  writeTruth(t)
end
return answer('BURNED', t)
