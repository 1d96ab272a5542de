-- The quick way through a short read, for a table as it mostly is: readers see merged rows alone, everything is there, and no index is
-- being built. It stands before the other preludes, because to make their functions takes longer than to look a row up. What it does not
-- answer, what is wrong above all, is left to what follows, which looks at everything again. It believes the truth no sooner than
-- readTruth does.
local v = redis.call('HMGET', TRUTH, unpack(FIELDS))
local quick = v[14] == ARGV[1] and v[13] == '0' and (v[3] == 'clear' or v[3] == 'active' or v[3] == 'active-whole')
for i = 1, #FIELDS do quick = quick and v[i] end
quick = quick and string.find(table.concat(v, ' ', WORDS + 1, 12), '^%d+ %d+ %d+ %d+ %d+ %d+ %d+ %d+ %d+$')
  and holds({count = v[9], staged = v[10], live = v[11], building = v[13], whole = v[3] == 'active-whole'})

local function soon(...) return {'OK', v[1], '', v[3], v[4], v[5], v[6], v[7], v[8], ...} end
