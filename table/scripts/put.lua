-- Stores rows.
needs('HSET', ROWS)
needsEach('ZADD', merged)
local t, no = gate('clear')
if no then return no end
fill(ROWS, merged)
disturb(t)
return done(t, '')
