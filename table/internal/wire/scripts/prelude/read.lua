-- What the scripts that read share.

-- The views of rows: where they are, how many there are, and whether staged ones lie over them (over).
local function mergedView(t) return {rows = ROWS, index = merged, count = tonumber(t.count)} end
local function stagedView(t)
  if t.whole then return {rows = STAGED, index = shadow, count = tonumber(t.staged)} end
  local view = mergedView(t)
  view.over = true
  return view
end

-- present returns the table's truth, and the view of its rows. If the read must be refused it returns the answer for that as third value.
-- ARGV begins with the layout that rows must have. gen and rver are those of the snapshot that the read is of, or ''. scope: 'merged' is
-- what readers see, 'staged' what they would see after a merge now. index is the one that the read is by, or nil.
-- The order of proof: whose the table is (the caller compares the epoch of any answer), what its rows are, whether all is there.
local function present(gen, rver, scope, index)
  local t = readTruth()
  if not t.epoch then return nil, nil, answer('LOST', t) end
  if t.layout ~= ARGV[1] then return nil, nil, answer('LAYOUT', t) end
  if not holds(t) then return nil, nil, answer('LOST', t) end
  if index and index > 0 and not complete(t, index) then return nil, nil, answer('BUILDING', t) end
  t.last = ''
  if gen == '' then
    local staged = t.state == 'merging' or (scope == 'staged' and t.state == 'active')
    return t, staged and stagedView(t) or mergedView(t)
  end
  local ahead = tonumber(t.gen) - tonumber(gen)
  local merging = t.state == 'merging'
  if t.rver ~= rver or ahead > 1 or ahead < 0 or (ahead == 1 and not merging) then
    return nil, nil, answer('EXPIRED', t)
  end
  return t, merging and ahead == 0 and stagedView(t) or mergedView(t)
end

-- less compares bytes, as sorted sets do. (Lua's own < follows the locale.)
local function less(a, b)
  local n = #a
  if #b < n then n = #b end
  for i = 1, n do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- rank returns how many entries are before (score, member), and how many up to and with it.
local function rank(key, score, member)
  local there = redis.call('ZSCORE', key, member)
  if there and number(there) == number(score) then
    local r = redis.call('ZRANK', key, member)
    return r, r + 1
  end
  local low = redis.call('ZCOUNT', key, '-inf', '(' .. score)
  local high = low + redis.call('ZCOUNT', key, score, score)
  while low < high do
    local mid = (low + high - (low + high) % 2) / 2
    if less(redis.call('ZRANGE', key, mid, mid)[1], member) then low = mid + 1 else high = mid end
  end
  return low, low
end
