-- Copies some staged rows of a merged generation to where merged rows are. What is staged stays, and hides what it replaces, until all
-- is copied: then it goes at once. No answer of a read changes, and a late or repeated call does no harm.
-- ARGV: epoch, generation, cursor, rows at most, bytes at most. Answers with the next cursor. Rows go first, in the order of the first
-- index, so that entries which follow each other are added one after another: staged entries stand still while merging. Then come
-- tombstones, if there are any, by HSCAN.
local t = readTruth()
if not t.epoch then return answer('LOST', t) end
if t.epoch ~= ARGV[1] then return answer('FENCED', t) end
if t.gen ~= ARGV[2] or t.state ~= 'merging' then return answer('STALE', t) end
if t.whole then return answer('STATE', t) end -- see foldwhole.lua
if not holds(t) then return answer('LOST', t) end
local cursor, most, budget = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
needs('HSET', ROWS)
needs('HDEL', ROWS)
needs('HDEL', STAGED)
needs('HDEL', TRUTH)
needsEach('ZADD', merged)
needsEach('ZREM', merged)
needsUnlink(STAGED)
needsUnlinkEach(shadow)
local no = barred()
if no then return no end

local place, stand = folded(t)
local live, taken, bytes = tonumber(t.live), 0, 0

-- chunk is how many rows may be read at once: no row has more bytes than the widest.
local chunk = budget / (tonumber(t.widest) + 1)
chunk = chunk < 1 and 1 or chunk > most and most or chunk - chunk % 1

local function alternate(a, b)
  local list = {}
  for i = 1, #a do list[2 * i - 1], list[2 * i] = a[i], b[i] end
  return list
end

-- copy copies the next rows. It reads everything before its first write, and returns false if something is missing.
local function copy()
  local found = redis.call('ZRANGE', shadow(1), place, place + chunk - 1, 'WITHSCORES')
  local keys, scores, size = {}, {{}}, 0
  for i = 1, #found / 2 do keys[i], scores[1][i] = found[2 * i - 1], found[2 * i] end
  local rows = redis.call('HMGET', STAGED, unpack(keys))
  for j = 2, INDEXES do scores[j] = redis.call('ZMSCORE', shadow(j), unpack(keys)) end
  for i = 1, #keys do
    if not rows[i] or tombstone(rows[i]) then return false end
    size = size + #rows[i]
    for j = 2, INDEXES do
      if not scores[j][i] then return false end
    end
  end
  redis.call('HSET', ROWS, unpack(alternate(keys, rows)))
  for j = 1, INDEXES do redis.call('ZADD', merged(j), unpack(alternate(scores[j], keys))) end
  place, taken, bytes = place + #keys, taken + #keys, bytes + size
  return true
end

-- bury removes tombstones, and the merged rows that they hide. It returns false if a staged row has no entry.
local function bury()
  local found = redis.call('HSCAN', STAGED, cursor, 'COUNT', chunk)
  local pairs, rows, tombs, size = found[2], {}, {}, 0
  for i = 1, #pairs, 2 do
    local list = tombstone(pairs[i + 1]) and tombs or rows
    list[#list + 1], size = pairs[i], size + #pairs[i + 1]
  end
  for i = 1, #rows, MOST do
    local scores = redis.call('ZMSCORE', shadow(1), unpack(rows, i, i + MOST - 1 < #rows and i + MOST - 1 or #rows))
    for k = 1, #scores do
      if not scores[k] then return false end
    end
  end
  for i = 1, #tombs, MOST do
    local to = i + MOST - 1 < #tombs and i + MOST - 1 or #tombs
    redis.call('HDEL', STAGED, unpack(tombs, i, to))
    redis.call('HDEL', ROWS, unpack(tombs, i, to))
  end
  remove(merged, tombs)
  cursor, taken, bytes = found[1], taken + chunk, bytes + size
  return true
end

local function uncopied() return place < live end
local function unburied() return redis.call('HLEN', STAGED) > live end

-- A step does one of the two until it is long enough or nothing is left. What is missing behind its first part is told by the next
-- step, which has written nothing then.
local part, left = bury, unburied
if uncopied() then part, left = copy, uncopied end
while left() and taken < most and bytes < budget do
  if not part() then
    if taken == 0 then return answer('LOST', t) end
    break
  end
end
if uncopied() or unburied() then
  redis.call('HSET', TRUTH, 'fold', stand .. whole(place))
else
  redis.call('UNLINK', STAGED)
  drop(shadow)
  redis.call('HDEL', TRUTH, 'fold')
  t.state = 'clear'
end
recount(t)
t.last = cursor
return answer('OK', t)
