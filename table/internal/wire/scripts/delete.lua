-- Removes rows.
needs('HDEL', ROWS)
needsEach('ZREM', merged)
local t, no = admit('clear')
if no then return no end

local function find(key)
  local row = redis.call('HGET', ROWS, key)
  return row, row and redis.call('ZSCORE', merged(index), key)
end

local function visible(min, max) return redis.call('ZCOUNT', merged(index), min, max) end

local gone, verdicts = marks(find, visible)
tell('delete', SEQ, verdicts)
if #gone > 0 then
  redis.call('HDEL', ROWS, unpack(gone))
  remove(merged, gone)
  disturb(t)
end
return done(t, verdicts)
