-- Stores rows.
needs('HSET', ROWS)
needsEach('ZADD', merged)
local t, no = admit('clear')
if no then return no end
tell('put', SEQ)
fill(t, ROWS, merged)
disturb(t)
return done(t, '')
