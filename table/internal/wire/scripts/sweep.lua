-- Removes rows by where they lie in an index, some at most in one step. Interval 'all': every row, at a cost that does not depend on how
-- many there are.
needs('HDEL', ROWS)
needsEach('ZREM', merged)
needs('ZREMRANGEBYRANK', merged(index))
needsUnlink(ROWS)
needsUnlinkEach(merged)
local t, no = admit('clear')
if no then return no end

if at == 'all' then
  tell('delete', SEQ, nil, 'a', 'all')
  local n = tonumber(t.count)
  redis.call('UNLINK', ROWS)
  drop(merged)
  t.widest = '0'
  if n > 0 then disturb(t) end
  return swept(t, n, '0  ')
end

local keys, _, ranks, place = found(t)
tellKeys('delete', keys)
if #keys > 0 then
  redis.call('HDEL', ROWS, unpack(keys))
  remove(merged, keys, index)
  table.sort(ranks, function(x, y) return x[1] > y[1] end) -- so that no rank moves before its turn
  for i = 1, #ranks do redis.call('ZREMRANGEBYRANK', merged(index), ranks[i][1], ranks[i][2]) end
  disturb(t)
end
return swept(t, #keys, place)
