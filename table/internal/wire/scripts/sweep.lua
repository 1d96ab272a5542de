-- Removes rows by where they lie in an index, so many at most in one step. No row leaves the server.
-- ARGV after the common ones: index, rows at most, bytes of a body at most, interval to begin with, score and member to go on behind
-- or '', then min, max of each interval. Interval 'all': every row, at a cost that does not depend on how many there are.
-- The small reply: how many were removed, bytes of the entry's body, where to go on: interval (0: it is done), score, member. It stays
-- in the truth: a step that is settled gives the same answer.
local index, most, room, at, score, member = unpack(ARGV, COMMON + 1, COMMON + 6)
local FIRST = COMMON + 7
needs('HDEL', ROWS)
needsEach('ZREM', merged)
needsUnlink(ROWS)
needsUnlinkEach(merged)
local t, no = admit('clear')
if no then return no end
index, most, room = tonumber(index), tonumber(most), tonumber(room)
if at ~= 'all' and not complete(t, index) then return answer('BUILDING', t) end

local function swept(n, interval, score, member)
  if n > 0 then disturb(t) end
  return done(t, whole(n) .. ' ' .. #BODY .. ' ' .. interval .. ' ' .. score .. ' ' .. member)
end

if at == 'all' then
  tell('delete', SEQ, nil, 'a', 'all')
  local n = tonumber(t.count)
  redis.call('UNLINK', ROWS)
  drop(merged)
  t.widest = '0'
  return swept(n, '0', '', '')
end

-- next returns the next keys of an interval.
local function next(min, max, limit)
  if score == '' then return redis.call('ZRANGE', merged(index), min, max, 'BYSCORE', 'LIMIT', 0, limit) end
  local _, from = rank(merged(index), score, member)
  local to = redis.call('ZCOUNT', merged(index), '-inf', max)
  if to > from + limit then to = from + limit end
  return from < to and redis.call('ZRANGE', merged(index), from, to - 1) or {}
end

local keys, interval, last = {}, tonumber(at), ''
while FIRST + 2 * interval <= #ARGV + 1 and #keys < most do
  local k = FIRST + 2 * (interval - 1)
  local found = next(ARGV[k], ARGV[k + 1], most - #keys)
  for i = 1, #found do keys[#keys + 1] = found[i] end
  if #keys == most then break end
  interval, score = interval + 1, ''
end
if #keys == most then
  member = keys[most]
  score = redis.call('ZSCORE', merged(index), member)
else
  interval, score, member = 0, '', ''
end

-- body returns the keys as an entry tells them: the length of each, in four bytes, and its bytes.
local function body()
  local size, parts = 0, {}
  for i = 1, #keys do
    size, parts[i] = size + 4 + #keys[i], u32(#keys[i]) .. keys[i]
  end
  return size <= room and table.concat(parts) or ''
end

if TRIM ~= 'off' then BODY = body() end
tell('delete', SEQ, string.rep('1', #keys))
if #keys > 0 then
  redis.call('HDEL', ROWS, unpack(keys))
  remove(merged, keys)
end
return swept(#keys, whole(interval), score, member)
