-- shortPage answers with a page of one interval from its beginning, if its rows fit it even if all are as wide as the widest. Else it
-- returns nil. fit is how many such rows fit.
local function shortPage(key, min, max, most, fit)
  if fit > 128 then fit = 128 end
  local members, limit = nil, most > fit and fit - fit % 1 + 1 or most
  if ARGV[9] == 'up' then
    members = redis.call('ZRANGE', key, min, max, 'BYSCORE', 'LIMIT', 0, limit)
  else
    members = redis.call('ZRANGE', key, max, min, 'BYSCORE', 'REV', 'LIMIT', 0, limit)
  end
  local n = #members
  if n > fit then return nil end
  if n == 0 then return soon(0, '', '', {}, {}, {}) end
  local rows = redis.call('HMGET', ROWS, unpack(members))
  for k = 1, n do
    if not rows[k] then return nil end
  end
  if n < most then return soon(0, '', '', members, rows, {}) end
  return soon(1, redis.call('ZSCORE', key, members[n]), members[n], members, rows, {})
end

if quick and ARGV[2] == '' and ARGV[4] == 'merged' and ARGV[10] == '' and ARGV[12] == '' and #ARGV == 14 then
  local a = shortPage(merged(tonumber(ARGV[5])), ARGV[13], ARGV[14], tonumber(ARGV[6]), tonumber(ARGV[7]) / tonumber(v[12]))
  if a then return a end
end
