-- Moves some staged rows to where merged rows are. It changes no answer of a read, and a late or repeated call does nothing.
-- ARGV: epoch, generation, cursor, rows at most. Answers with the next cursor. Rows go first, in the order of the first index, so
-- that entries which follow each other are added one after another. After that only tombstones are left.
local t = readTruth()
if not t.epoch then return answer('LOST', t) end
if t.epoch ~= ARGV[1] then return answer('FENCED', t) end
if t.gen ~= ARGV[2] or t.state ~= 'merging' then return answer('STALE', t) end
if t.whole then return answer('STATE', t) end -- see foldwhole.lua
if not holds(t) then return answer('LOST', t) end
local cursor, most = ARGV[3], tonumber(ARGV[4])
needs('HSET', ROWS)
needs('HDEL', ROWS)
needs('HDEL', STAGED)
needsEach('ZADD', merged)
needsEach('ZREM', merged)
needsEach('ZREM', shadow)
local no = barred()
if no then return no end

local function alternate(a, b)
  local list = {}
  for i = 1, #a do list[2 * i - 1], list[2 * i] = a[i], b[i] end
  return list
end

-- live moves rows. It reads everything before its first write, and returns false if something is missing.
local function live()
  local found = redis.call('ZRANGE', shadow(1), 0, most - 1, 'WITHSCORES')
  local keys, scores = {}, {{}}
  for i = 1, #found / 2 do keys[i], scores[1][i] = found[2 * i - 1], found[2 * i] end
  local rows = redis.call('HMGET', STAGED, unpack(keys))
  for j = 2, INDEXES do scores[j] = redis.call('ZMSCORE', shadow(j), unpack(keys)) end
  for i = 1, #keys do
    if not rows[i] or tombstone(rows[i]) then return false end
    for j = 2, INDEXES do
      if not scores[j][i] then return false end
    end
  end
  redis.call('HSET', ROWS, unpack(alternate(keys, rows)))
  redis.call('HDEL', STAGED, unpack(keys))
  for j = 1, INDEXES do redis.call('ZADD', merged(j), unpack(alternate(scores[j], keys))) end
  remove(shadow, keys)
  return true
end

-- dead removes tombstones, and the merged rows that they hide.
local function dead()
  local found = redis.call('HSCAN', STAGED, cursor, 'COUNT', most)
  local pairs, keys = found[2], {}
  cursor = found[1]
  for i = 1, #pairs, 2 do keys[#keys + 1] = pairs[i] end
  for i = 1, #keys, MOST do
    local to = i + MOST - 1
    if to > #keys then to = #keys end
    redis.call('HDEL', STAGED, unpack(keys, i, to))
    redis.call('HDEL', ROWS, unpack(keys, i, to))
  end
  remove(merged, keys)
end

if tonumber(t.live) == 0 then
  dead()
elseif not live() then
  return answer('LOST', t)
end
if redis.call('HLEN', STAGED) == 0 then t.state = 'clear' end
recount(t)
t.last = cursor
return answer('OK', t)
