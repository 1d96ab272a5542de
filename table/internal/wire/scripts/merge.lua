-- Shows all that is staged: from here on staged rows lie over merged ones.
local t, no = admit('active')
if no then return no end
tell('merge', SEQ)
t.gen, t.state = whole(tonumber(t.gen) + 1), 'merging'
return done(t, '')
