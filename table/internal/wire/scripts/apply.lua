-- Stores rows, removes keys, and writes the note: any of these. ARGV after the common ones: rows as for put; 'told', or '' if the feed
-- gets no body; the keys as the feed tells them; 'noted' or ''; the note; the keys. A key that is not there is passed over.
needs('HSET', ROWS)
needs('HDEL', ROWS)
needsEach('ZADD', merged)
needsEach('ZREM', merged)
local t, no = admitRegular()
if no then return no end
local rows = tonumber(ARGV[COMMON + 1])
local first = COMMON + 2 + 2 * rows * (1 + INDEXES) + 5
local told, dead, noted, note = unpack(ARGV, first - 4, first - 1)

local fields = {'k', 'apply'}
local function add(name, value) fields[#fields + 1], fields[#fields + 2] = name, value end
if told ~= '' then
  add('b', BODY)
  if dead ~= '' then add('d', dead) end
  if noted ~= '' then add('n', note) end
end
if TRIM ~= 'off' then append(EPOCH, SEQ, TRIM, 'p', PREV, unpack(fields)) end

if rows > 0 then fillThrough(t) end
if #ARGV >= first then
  local gone = {unpack(ARGV, first)}
  redis.call('HDEL', ROWS, unpack(gone))
  remove(merged, gone)
  if t.state == 'active' then unstage(gone) end
end
if rows > 0 or #ARGV >= first then disturb(t) end
if noted ~= '' then leave(t, note) end
return done(t, '')
