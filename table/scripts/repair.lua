-- Mends one thing, if it still is as the walk has seen it. It never touches a sound row.
-- ARGV: epoch, what, index, key, row as seen, score.
local t = truth()
if not t[1] then return answer('LOST', t) end
if t[1] ~= ARGV[1] then return answer('FENCED', t) end
local what, index, key, row, score = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
local a = answer('OK', t)
a[8] = '0'

local function drop(hash, index)
  redis.call('HDEL', hash, key)
  for j = 1, INDEXES do redis.call('ZREM', index(j), key) end
end

local function orphan(hash, index)
  local r = redis.call('HGET', hash, key)
  if r and #r > 4 then return false end
  redis.call('ZREM', index, key)
  return true
end

local mend = {
  counts = function() return true end,
  orphan = function() return orphan(ROWS, merged(index)) end,
  ['staged orphan'] = function() return orphan(STAGED, shadow(index)) end,
  entry = function()
    if redis.call('HGET', ROWS, key) ~= row then return false end
    redis.call('ZADD', merged(index), score, key)
    return true
  end,
  ['staged entry'] = function()
    if redis.call('HGET', STAGED, key) ~= row then return false end
    redis.call('ZADD', shadow(index), score, key)
    return true
  end,
  row = function()
    if redis.call('HGET', ROWS, key) ~= row then return false end
    drop(ROWS, merged)
    return true
  end,
  ['staged row'] = function()
    if redis.call('HGET', STAGED, key) ~= row then return false end
    drop(STAGED, shadow)
    return true
  end,
}
if mend[what]() then
  if t[5] == 'merging' and redis.call('HLEN', STAGED) == 0 then t[5] = 'clear' end
  save(t)
  a[8] = '1'
end
return a
