-- Reads rows by key. ARGV: layout, scope, index whose scores are wanted or 0, then keys.
-- Answers with rows (staged ones over merged ones if they count), and with scores if they are wanted.
local t, view, no = present('', '', ARGV[2], tonumber(ARGV[3]))
if no then return no end
local index = tonumber(ARGV[3])
local rows, scores, first = {}, {}, 4

for i = first, #ARGV, MOST do
  local to = i + MOST - 1
  if to > #ARGV then to = #ARGV end
  local below = redis.call('HMGET', view.rows, unpack(ARGV, i, to))
  local above = view.over and redis.call('HMGET', STAGED, unpack(ARGV, i, to))
  for k = 1, #below do
    local n, key = i - first + k, ARGV[i + k - 1]
    local staged = above and above[k]
    rows[n] = staged or below[k]
    if staged and tombstone(staged) then rows[n] = false end
    if index > 0 then
      scores[n] = rows[n] and redis.call('ZSCORE', staged and shadow(index) or view.index(index), key) or ''
    end
  end
end
local a = answer('OK', t)
a[10], a[11] = rows, scores
return a
