-- Reads the scores of rows in every index but one. ARGV: layout, the index that is left out, then keys, at most MOST.
-- Answers with a list of scores for each of the other indexes that are complete, which are the first ones; '' stands for a key without a row.
local t, view, no = present('', '', 'merged')
if no then return no end
local except, first = tonumber(ARGV[2]), 3
local staged = view.over and redis.call('HMGET', STAGED, unpack(ARGV, first, #ARGV))
local lists = {}
for j = 1, INDEXES do
  if j ~= except and complete(t, j) then
    local scores = redis.call('ZMSCORE', view.index(j), unpack(ARGV, first, #ARGV))
    local above = view.over and redis.call('ZMSCORE', shadow(j), unpack(ARGV, first, #ARGV))
    for k = 1, #ARGV - first + 1 do
      if staged and staged[k] then scores[k] = above[k] end
      if not scores[k] then scores[k] = '' end
    end
    lists[#lists + 1] = scores
  end
end
local a = answer('OK', t)
a[10] = lists
return a
