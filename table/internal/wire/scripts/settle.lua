-- Tells whether the effect with the number SEQ was applied. If it was not, burns the number, so that it never will be.
local t = readTruth()
if not t.epoch then return answer('LOST', t) end
if t.epoch ~= EPOCH then return answer('FENCED', t) end
local now, prev, seq = tonumber(t.seq), tonumber(PREV), tonumber(SEQ)
if now < prev then return answer('LOST', t) end
if now == seq then return answer('OK', t) end
if now == prev then
  if isAhead(t) then return answer('LOST', t) end
  local burned = redis.call('HGET', TRUTH, 'burned') or ''
  t.seq, t.last, t.burns = whole(seq + 1), '', whole(tonumber(t.burns) + 1)
  tell('burn', t.seq)
  writeTruth(t)
  redis.call('HSET', TRUTH, 'burned', latest(EPOCH .. '/' .. SEQ, burned, 64))
end
return answer('BURNED', t)
