-- Drops all that is staged.
needsUnlink(STAGED)
needsUnlinkEach(shadow)
local t, no = admit('active')
if no then return no end
tell('abort', SEQ)
redis.call('UNLINK', STAGED)
drop(shadow)
t.state = 'clear'
return done(t, '')
