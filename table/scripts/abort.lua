-- Drops all that is staged.
needsUnlink(STAGED)
needsUnlinkEach(shadow)
local t, no = gate('active')
if no then return no end
redis.call('UNLINK', STAGED)
drop(shadow)
t[5] = 'clear'
return done(t, '')
