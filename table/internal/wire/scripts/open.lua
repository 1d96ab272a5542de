-- Claims the table for a new owner. KEYS as in head.lua, and behind them keys of an earlier schema, which a reset drops.
-- ARGV: random id, schema, number of our own keys, 'keep' or 'reset', the earlier schema, layout, the owner's name.
local id, schema, own, how, layout, owner = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[6], ARGV[7]
INDEXES = (own - 3) / 2

local function refuse(status, last) return answer(status, {last = last}) end

local stored = redis.pcall('HGET', TRUTH, 'schema')
local foreign = type(stored) == 'table'
if foreign then
  -- Compare a whole phrase: a user may be called WRONGTYPE.
  if not string.find(stored.err, 'WRONGTYPE Operation ', 1, true) then return stored end
  if how ~= 'reset' then return refuse('LOST') end
  stored = false
end
local t = foreign and {} or readTruth()
local epoch = not foreign and redis.call('HGET', TRUTH, 'epoch') or '0'
if t.epoch and string.match(epoch, ':(.*)$') == id then return answer('OK', t) end -- the same claim was sent before

for i = 1, #KEYS do needsUnlink(KEYS[i]) end
local no = barred()
if no then return no end

-- sound tells whether the words of the truth are as they must be. (readTruth has checked its numbers.)
local function sound(t)
  return stored and string.find(t.epoch, '^%d+:') and (t.state == 'clear' or t.state == 'active' or t.state == 'merging')
end

local fresh = {state = 'clear', gen = '0', rver = '0', count = '0', staged = '0', live = '0', widest = '0'}
if how == 'reset' then
  if stored and stored ~= schema and stored ~= ARGV[5] then return refuse('SCHEMA', stored) end
  for i = 1, #KEYS do redis.call('UNLINK', KEYS[i]) end
  t = fresh
elseif stored and stored ~= schema then -- comes before the truth is checked, which may be of another version
  return refuse('SCHEMA', stored)
elseif not t.epoch then
  if redis.call('EXISTS', unpack(KEYS, 1, own)) > 0 then return refuse('LOST') end
  t = fresh
else
  if not sound(t) then return refuse('LOST') end
  if not holds(t) then return refuse('LOST') end
  if t.state == 'active' then -- nobody knows whether what an earlier owner has staged is whole
    redis.call('UNLINK', STAGED)
    drop(shadow)
    t.state, t.staged, t.live = 'clear', '0', '0'
  end
end

local counter = string.match(epoch, '^%d+') or '0'
t.epoch, t.seq, t.last, t.layout = whole(tonumber(counter) + 1) .. ':' .. id, '0', '', layout
writeTruth(t)
redis.call('HSET', TRUTH, 'schema', schema, 'owner', owner)
return answer('OK', t)
