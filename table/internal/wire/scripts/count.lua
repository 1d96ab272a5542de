-- Counts what lies in intervals of the rows that readers see. ARGV: layout, index, then min, max of each.
-- Answers with the count, or -1 if staged rows lie over merged ones: then rows must be read to be counted.
local t, view, no = present('', '', 'merged', tonumber(ARGV[2]))
if no then return no end
local n = 0
for k = 3, #ARGV, 2 do
  n = n + redis.call('ZCOUNT', view.index(tonumber(ARGV[2])), ARGV[k], ARGV[k + 1])
end
local a = answer('OK', t)
a[10] = view.over and -1 or n
return a
