-- Mends one thing, if it still is as the audit has read it, in one numbered effect. It never touches a sound row, and answers SOUND
-- where there is nothing to mend. The remedy 'built' declares those indexes complete that were being built and have an entry for each
-- row. ARGV after the common ones: remedy, index, key, row as it was read, score.
-- It does not ask whether the counts hold, for that is what it mends. prev '': the owner has no numbers left to give, because it
-- has found the table lost; then seq is the latest number that it knows of.
local what, index, key, row, score = unpack(ARGV, COMMON + 1, COMMON + 5)
index = tonumber(index)
local unused
if PREV == '' then
  local t = readTruth()
  if t.epoch then
    -- A table that has gone back must not come again to numbers that were shown with something else.
    if t.epoch == EPOCH and tonumber(t.seq) < tonumber(SEQ) then return answer('LOST', t) end
    -- Two on, as after a burn: an effect of the owner that comes late finds a number above its own.
    unused, PREV, SEQ = EPOCH .. '/' .. whole(tonumber(t.seq) + 1), t.seq, whole(tonumber(t.seq) + 2)
  end
  TRIM = redis.call('EXISTS', FEED) == 1 and '' or 'off'
end
local t, no = follow()
if no then return no end
local burn = unused and burning(t, unused)
if what ~= 'feed' and isAhead(t) then return answer('LOST', t) end

needs('HDEL', TRUTH)
needs('HSET', ROWS)
needs('HDEL', ROWS)
needs('HDEL', STAGED)
needsEach('ZADD', merged)
needsEach('ZREM', merged)
needsEach('ZADD', shadow)
needsEach('ZREM', shadow)
needsUnlink(FEED)
no = barredWithFeed()
if no then return no end

-- Each remedy looks, and returns a function that mends; nil: there is nothing to mend.

local function orphan(hash, index, tombs)
  local r = redis.call('HGET', hash, key)
  if r and not (tombs and tombstone(r)) or not redis.call('ZSCORE', index, key) then return nil end
  return function() redis.call('ZREM', index, key) end
end

local function entry(hash, index)
  if redis.call('HGET', hash, key) ~= row then return nil end
  local stored = redis.call('ZSCORE', index, key)
  if stored and number(stored) == number(score) then return nil end
  return function() redis.call('ZADD', index, score, key) end
end

local function bad(hash, index)
  if redis.call('HGET', hash, key) ~= row then return nil end
  return function()
    redis.call('HDEL', hash, key)
    remove(index, {key})
  end
end

-- ahead returns by how many generations the row is ahead of the table.
local function ahead()
  local a, b, c, d = string.byte(row, 1, 4)
  return ((a * 256 + b) * 256 + c) * 256 + d - tonumber(t.gen)
end

-- early stamps a merged row that has a later generation than the table with the table's generation.
local function early()
  if redis.call('HGET', ROWS, key) ~= row or ahead() <= 0 then return nil end
  local stamp, g = '', tonumber(t.gen)
  for _ = 1, 4 do
    stamp, g = string.char(g % 256) .. stamp, (g - g % 256) / 256
  end
  return function() redis.call('HSET', ROWS, key, stamp .. string.sub(row, 5)) end
end

-- leftover drops a staged row that does not belong to what is being staged or folded now.
local function leftover()
  local now = {active = 1, merging = 0}
  if #row >= 4 and ahead() == now[t.state] and not (t.whole and tombstone(row)) then return nil end
  return bad(STAGED, shadow)
end

-- counts mends nothing itself: the counts are set anew with each thing that is mended.
local function counts()
  local right = redis.call('HLEN', ROWS) == tonumber(t.count) and redis.call('HLEN', STAGED) == tonumber(t.staged) and
    redis.call('ZCARD', shadow(1)) == tonumber(t.live)
  return not right and function() end or nil
end

-- feed drops a feed that does not end with the table's number. It begins anew.
local function feed()
  return not inStep(t) and function() redis.call('UNLINK', FEED) end or nil
end

-- built declares indexes complete: the first ones of those that are being built.
local function built()
  local n = tonumber(t.building)
  while n > 0 and redis.call('ZCARD', merged(INDEXES - n + 1)) == tonumber(t.count) do n = n - 1 end
  if whole(n) == t.building then return answer('SOUND', t) end
  tell('built', SEQ)
  t.building = whole(n)
  return done(t, '')
end

if what == 'built' then return holds(t) and built() or answer('LOST', t) end

local remedies = {
  counts = counts,
  feed = feed,
  orphan = function() return orphan(ROWS, merged(index), false) end,
  ['staged orphan'] = function() return orphan(STAGED, shadow(index), true) end,
  entry = function() return entry(ROWS, merged(index)) end,
  ['staged entry'] = function() return entry(STAGED, shadow(index)) end,
  row = function() return bad(ROWS, merged) end,
  ['staged row'] = function() return bad(STAGED, shadow) end,
  leftover = early,
  ['staged leftover'] = leftover,
}
local mend = remedies[what]()
if not mend then return answer('SOUND', t) end
if what == 'feed' then mend() end
tell('repair', SEQ)
if what ~= 'feed' then mend() end
if burn then burn() end
if t.state == 'merging' and not t.whole and redis.call('HLEN', STAGED) == 0 then
  redis.call('HDEL', TRUTH, 'fold')
  t.state = 'clear'
end
disturb(t)
return done(t, '')
