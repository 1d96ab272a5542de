-- Declares those indexes complete that have an entry for each row. SOUND: there is none more, and nothing was done.
local t, no = follow()
if no then return no end
if not holds(t) or isAhead(t) then return answer('LOST', t) end
no = barredWithFeed()
if no then return no end
local building = tonumber(t.building)
while building > 0 and redis.call('ZCARD', merged(INDEXES - building + 1)) == tonumber(t.count) do building = building - 1 end
if whole(building) == t.building then return answer('SOUND', t) end
tell('built', SEQ)
t.building = whole(building)
return done(t, '')
