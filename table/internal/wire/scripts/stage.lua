-- Stores rows in the scratch space.
needs('HSET', STAGED)
needsEach('ZADD', shadow)
local t, no = admit('clear', 'active')
if no then return no end
tell('stage', SEQ)
fill(t, STAGED, shadow)
t.state = 'active'
return done(t, '')
