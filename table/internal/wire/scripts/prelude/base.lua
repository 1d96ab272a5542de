-- What every script shares. KEYS: truth, rows, staged rows, feed, the sorted set of each index, the shadow set of each index.
local TRUTH, ROWS, STAGED, FEED = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local INDEXES = (#KEYS - 4) / 2
local MOST = 4000 -- how many values unpack may put on the stack

-- The fields of the truth: three words, then numbers. Answers begin with the first eight of them, in this order.
local FIELDS = {'epoch', 'last', 'state', 'seq', 'gen', 'rver', 'burns', 'notes', 'count', 'staged', 'live', 'widest', 'building', 'layout'}
local WORDS = 3

local function merged(j) return KEYS[4 + j] end
local function shadow(j) return KEYS[4 + INDEXES + j] end

-- complete tells whether an index has an entry for each row. The last ones may be in the making: of these it has some, and no others.
local function complete(t, j) return j <= INDEXES - tonumber(t.building) end

-- holds tells whether everything that the truth counts is still there.
local function holds(t)
  local count, staged, live = tonumber(t.count), tonumber(t.staged), tonumber(t.live)
  if t.whole and staged ~= live then return false end
  if redis.call('HLEN', ROWS) ~= count or redis.call('HLEN', STAGED) ~= staged then return false end
  for j = 1, INDEXES do
    if (complete(t, j) and redis.call('ZCARD', merged(j)) ~= count) or redis.call('ZCARD', shadow(j)) ~= live then return false end
  end
  return true
end
