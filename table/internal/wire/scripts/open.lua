-- Claims the table for a new owner. KEYS as in base.lua, and behind them keys of an earlier schema, which a reset drops.
-- ARGV: random id, schema, number of our own keys, 'keep' or 'reset', the earlier schema, layout, the owner's name, 'feed' or
-- 'off'.
local id, schema, own, how, layout, owner, feed = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[6], ARGV[7], ARGV[8] == 'feed'
INDEXES = (own - 4) / 2

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
-- The owners before, with the number of their last effect, and the numbers that were burned: they stay whatever happens, so that
-- a position of theirs can be told from one of another copy of the data.
local function kept(field) return not foreign and redis.call('HGET', TRUTH, field) or '' end
local known = t.epoch and string.find(t.epoch, '^[1-9]%d*:%x+$') -- a reset also replaces a truth that somebody has damaged
local line, burned, predecessor = kept('line'), kept('burned'), known and t.epoch .. '/' .. t.seq or ''
local epoch = not foreign and redis.call('HGET', TRUTH, 'epoch') or '0'
if t.epoch and string.match(epoch, ':(.*)$') == id then return answer('OK', t) end -- the same claim was sent before

for i = 1, #KEYS do needsUnlink(KEYS[i]) end
if feed then writes[#writes + 1] = {'XADD', FEED, '*', '0', '0'} end
local no = barred()
if no then return no end

-- feedFits tells whether the feed is a stream that has no entry from an id on.
local function feedFits(from)
  local behind = redis.pcall('XRANGE', FEED, from, '+', 'COUNT', '1')
  return not behind.err and #behind == 0
end

-- sound tells whether the words of the truth are as they must be. (readTruth has checked its numbers.)
local function sound(t)
  return stored and string.find(t.epoch, '^%d+:') and (t.state == 'clear' or t.state == 'active' or t.state == 'merging')
end

local counter = tonumber(string.match(epoch, '^%d+') or '0') + 1
local fresh = {state = 'clear', gen = '0', rver = '0', burns = t.burns or '0', notes = t.notes or '0', count = '0', staged = '0', live = '0', widest = '0'}
local drops = {}
if how == 'reset' then
  if stored and stored ~= schema and stored ~= ARGV[5] then return refuse('SCHEMA', stored) end
  t = fresh
  t.notes = whole(tonumber(t.notes) + 1)
  for i = 1, #KEYS do
    if KEYS[i] ~= FEED then drops[#drops + 1] = KEYS[i] end
  end
  if not feedFits(whole(counter) .. '-0') then redis.call('UNLINK', FEED) end
elseif stored and stored ~= schema then -- comes before the truth is checked, which may be of another version
  return refuse('SCHEMA', stored)
elseif not t.epoch then
  if redis.call('EXISTS', unpack(KEYS, 1, own)) > 0 then return refuse('LOST') end
  t = fresh
else
  if not sound(t) then return refuse('LOST') end
  if not holds(t) or not feedFits('(' .. entryId(t.epoch, t.seq)) then return refuse('LOST') end
  if t.state == 'active' then -- nobody knows whether what an earlier owner has staged is whole
    drops[1] = STAGED
    for j = 1, INDEXES do drops[#drops + 1] = shadow(j) end
    t.state, t.staged, t.live = 'clear', '0', '0'
  end
end
if not feed then drops[#drops + 1] = FEED end

t.epoch, t.seq, t.last, t.layout = whole(counter) .. ':' .. id, '0', '', layout
-- A feed without entries tells nothing, and may remember an id above ours, which XADD would refuse to follow.
if feed and #redis.call('XRANGE', FEED, '-', '+', 'COUNT', '1') == 0 then redis.call('UNLINK', FEED) end
-- What owners before the predecessor have told goes: else take-overs one after another would let the feed grow.
if feed then append(t.epoch, t.seq, known and string.match(predecessor, '^%d+') .. '-0' or '', 'p', predecessor, 'k', how == 'reset' and 'reset' or 'claim', 's', schema) end
for i = 1, #drops do redis.call('UNLINK', drops[i]) end
writeTruth(t)
redis.call('HSET', TRUTH, 'schema', schema, 'owner', owner, 'line', latest(predecessor, line, 64), 'burned', burned,
  'feed', feed and 'feed' or 'off')
return answer('OK', t)
