-- Claims the table for a new owner. KEYS as ever, behind them keys of an earlier schema to drop.
-- ARGV: random id, schema, number of own keys, 'keep' or 'reset', schema that those keys are of.
local id, schema, own, how = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local TRUTH, ROWS, STAGED, INDEXES = KEYS[1], KEYS[2], KEYS[3], (own - 3) / 2
local function reply(status, epoch, seq, gen, state, rver, last)
  return {status, epoch or '', seq or '', gen or '', state or '', rver or '', last or ''}
end
local function whole(n) return string.format('%.0f', n) end

-- sound tells whether everything is there and can be read.
local function sound(t)
  for i = 1, 10 do
    local word = i == 1 or i == 3 or i == 8
    if not t[i] or not (word or string.find(t[i], '^%d+$')) then return false end
  end
  return string.find(t[1], '^%d+:') and (t[3] == 'clear' or t[3] == 'active' or t[3] == 'merging')
end

local t = redis.pcall('HMGET', TRUTH, 'epoch', 'gen', 'state', 'rver', 'count', 'staged', 'live', 'schema', 'seq', 'widest')
if t.err then
  if not string.find(t.err, 'WRONGTYPE', 1, true) then return t end
  if how ~= 'reset' then return reply('LOST') end
  t = {false, false, false, false, false, false, false, false}
end
local epoch = t[1] or '0'
local counter = string.match(epoch, '^%d+') or '0'
if string.match(epoch, ':(.*)$') == id then -- a repeated claim of the same owner
  return reply('OK', epoch, t[9], t[2], t[3], t[4])
end

-- barred returns the server's refusal of a write below that its user is not permitted. It is asked before the first write.
local function barred()
  local claim = {'HSET', TRUTH, '0', '0'}
  if not redis.acl_check_cmd then return nil end
  if not redis.acl_check_cmd('UNLINK', unpack(KEYS)) then return redis.pcall('UNLINK', unpack(KEYS)) end
  if not redis.acl_check_cmd(unpack(claim)) then return redis.pcall(unpack(claim)) end
end
local no = barred()
if no then return no end

if how == 'reset' then
  if t[8] and t[8] ~= schema and t[8] ~= ARGV[5] then return reply('SCHEMA', '', '', '', '', '', t[8]) end
  for i = 1, #KEYS do redis.call('UNLINK', KEYS[i]) end
  t = {false, '0', 'clear', '0', '0', '0', '0', schema, '0', '0'}
elseif not t[1] then
  if redis.call('EXISTS', unpack(KEYS, 1, own)) > 0 then return reply('LOST') end
  t = {false, '0', 'clear', '0', '0', '0', '0', schema, '0', '0'}
else
  if not sound(t) then return reply('LOST') end
  if t[8] ~= schema then return reply('SCHEMA', '', '', '', '', '', t[8]) end
  local count, staged, live = tonumber(t[5]), tonumber(t[6]), tonumber(t[7])
  local holds = redis.call('HLEN', ROWS) == count and redis.call('HLEN', STAGED) == staged
  for j = 1, INDEXES do
    holds = redis.call('ZCARD', KEYS[3 + j]) == count and holds
    holds = redis.call('ZCARD', KEYS[3 + INDEXES + j]) == live and holds
  end
  if not holds then return reply('LOST') end
  if t[3] == 'active' then -- what a crashed owner has staged is nobody's
    redis.call('UNLINK', STAGED)
    for j = 1, INDEXES do redis.call('UNLINK', KEYS[3 + INDEXES + j]) end
    t[3], t[6], t[7] = 'clear', '0', '0'
  end
end

epoch = whole(tonumber(counter) + 1) .. ':' .. id
redis.call('HSET', TRUTH, 'epoch', epoch, 'seq', '0', 'last', '', 'gen', t[2], 'state', t[3], 'rver', t[4],
  'count', t[5], 'staged', t[6], 'live', t[7], 'widest', t[10], 'schema', schema)
return reply('OK', epoch, '0', t[2], t[3], t[4])
