-- What every script shares. KEYS: truth, rows, staged rows, an index each, a staged index each.
local TRUTH, ROWS, STAGED = KEYS[1], KEYS[2], KEYS[3]
local INDEXES = (#KEYS - 3) / 2
local LOOK = 4000 -- values that unpack may put on the stack

local function merged(j) return KEYS[3 + j] end
local function shadow(j) return KEYS[3 + INDEXES + j] end
local function whole(n) return string.format('%.0f', n) end

-- truth returns epoch, seq, last, gen, state, rver, count, staged, live; no epoch if any is missing or is not a number
-- where one belongs: a script must not find out half way.
local function truth()
  local t = redis.call('HMGET', TRUTH, 'epoch', 'seq', 'last', 'gen', 'state', 'rver', 'count', 'staged', 'live')
  for i = 1, 9 do
    local word = i == 1 or i == 3 or i == 5
    if not t[i] or not (word or string.find(t[i], '^%d+$')) then t[1] = false end
  end
  return t
end

local function number(s)
  if s == 'inf' then return 1 / 0 elseif s == '-inf' then return -1 / 0 end
  return tonumber(s)
end

-- holds tells whether everything that was counted is still there.
local function holds(t)
  local count, staged, live = tonumber(t[7]), tonumber(t[8]), tonumber(t[9])
  if redis.call('HLEN', ROWS) ~= count or redis.call('HLEN', STAGED) ~= staged then return false end
  for j = 1, INDEXES do
    if redis.call('ZCARD', merged(j)) ~= count or redis.call('ZCARD', shadow(j)) ~= live then return false end
  end
  return true
end

local function answer(status, t)
  return {status, t[1] or '', t[2] or '', t[4] or '', t[5] or '', t[6] or '', t[3] or ''}
end
