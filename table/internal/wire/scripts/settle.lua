-- Tells whether the effect with the number SEQ was applied. If it was not, burns the number, so that it never will be.
local t = readTruth()
if not t.epoch then return answer('LOST', t) end
if t.epoch ~= EPOCH then return answer('FENCED', t) end
local now, prev, seq = tonumber(t.seq), tonumber(PREV), tonumber(SEQ)
if now < prev then return answer('LOST', t) end
if now == seq then return answer('OK', t) end
if now == prev then
  if isAhead(t) then return answer('LOST', t) end
  local burn = burning(t, EPOCH .. '/' .. SEQ)
  local no = barredWithFeed()
  if no then return no end
  t.seq, t.last = whole(seq + 1), ''
  tell('burn', t.seq)
  burn()
  writeTruth(t)
end
return answer('BURNED', t)
