-- Puts tombstones into the scratch space; where that stands for the whole table it takes rows out. It compares with what a merge now
-- would show.
needsDiscarding()
local t, no = admit('clear', 'active')
if no then return no end

local function find(key)
  local row = redis.call('HGET', STAGED, key)
  if row then
    if tombstone(row) then return nil end
    return row, redis.call('ZSCORE', shadow(index), key)
  end
  row = not t.whole and redis.call('HGET', ROWS, key)
  return row, row and redis.call('ZSCORE', merged(index), key)
end

-- visible counts staged rows and those merged ones that no staged row or tombstone hides.
local function visible(min, max)
  if t.whole then return redis.call('ZCOUNT', shadow(index), min, max) end
  local below = redis.call('ZRANGE', merged(index), min, max, 'BYSCORE', 'LIMIT', 0, MOST)
  local n = redis.call('ZCOUNT', shadow(index), min, max)
  if #below == 0 then return n end
  local above = redis.call('HMGET', STAGED, unpack(below))
  for i = 1, #below do
    if not above[i] then n = n + 1 end
  end
  return n
end

local gone, verdicts = marks(find, visible)
tell('discard', SEQ, verdicts)
if #gone > 0 then hide(t, gone, gone) end
return done(t, verdicts)
