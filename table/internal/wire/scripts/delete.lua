-- Removes rows. While a session is on, its marks are judged by key alone, and also what is only staged under the keys goes.
needs('HDEL', ROWS)
needsEach('ZREM', merged)
local t, no = admitRegular()
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
if t.state == 'active' then unstage({unpack(ARGV, FIRST + 1, FIRST + n)}) end
return done(t, verdicts)
