-- Mends one thing, if it still is as the audit has read it. It never touches a sound row.
-- ARGV: epoch, remedy, index, key, row as it was read, score.
local t = readTruth()
if not t.epoch then return answer('LOST', t) end
if t.epoch ~= ARGV[1] then return answer('FENCED', t) end
local what, index, key, row, score = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
local a = answer('OK', t)
a[9] = '0'

local function drop(hash, index)
  redis.call('HDEL', hash, key)
  for j = 1, INDEXES do redis.call('ZREM', index(j), key) end
end

local function orphan(hash, index, tombs)
  local r = redis.call('HGET', hash, key)
  if r and not (tombs and tombstone(r)) then return false end
  return redis.call('ZREM', index, key) == 1
end

local function entry(hash, index)
  if redis.call('HGET', hash, key) ~= row then return false end
  local stored = redis.call('ZSCORE', index, key)
  if stored and number(stored) == number(score) then return false end
  redis.call('ZADD', index, score, key)
  return true
end

local function bad(hash, index)
  if redis.call('HGET', hash, key) ~= row then return false end
  drop(hash, index)
  return true
end

-- ahead returns by how many generations the row is ahead of the table.
local function ahead()
  local a, b, c, d = string.byte(row, 1, 4)
  return ((a * 256 + b) * 256 + c) * 256 + d - tonumber(t.gen)
end

-- early stamps a merged row that has a later generation than the table with the table's generation.
local function early()
  if redis.call('HGET', ROWS, key) ~= row or ahead() <= 0 then return false end
  local stamp, g = '', tonumber(t.gen)
  for _ = 1, 4 do
    stamp, g = string.char(g % 256) .. stamp, (g - g % 256) / 256
  end
  redis.call('HSET', ROWS, key, stamp .. string.sub(row, 5))
  return true
end

-- leftover drops a staged row that does not belong to what is being staged or folded now.
local function leftover()
  local now = {active = 1, merging = 0}
  if #row >= 4 and ahead() == now[t.state] then return false end
  return bad(STAGED, shadow)
end

local mend = {
  counts = function() return true end,
  orphan = function() return orphan(ROWS, merged(index), false) end,
  ['staged orphan'] = function() return orphan(STAGED, shadow(index), true) end,
  entry = function() return entry(ROWS, merged(index)) end,
  ['staged entry'] = function() return entry(STAGED, shadow(index)) end,
  row = function() return bad(ROWS, merged) end,
  ['staged row'] = function() return bad(STAGED, shadow) end,
  leftover = early,
  ['staged leftover'] = leftover,
}
if mend[what]() then
  if t.state == 'merging' and redis.call('HLEN', STAGED) == 0 then t.state = 'clear' end
  recount(t)
  a[9] = '1'
end
return a
