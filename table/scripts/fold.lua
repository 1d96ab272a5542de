-- Moves a batch of staged rows to where merged rows are. It changes no answer, and a late or
-- repeated batch does nothing. ARGV: epoch, generation, cursor, batch. Answers with the next cursor.
local t = truth()
if not t[1] then return answer('LOST', t) end
if t[1] ~= ARGV[1] then return answer('FENCED', t) end
if t[4] ~= ARGV[2] or t[5] ~= 'merging' then return answer('STALE', t) end
if not holds(t) then return answer('LOST', t) end

local found = redis.call('HSCAN', STAGED, ARGV[3], 'COUNT', ARGV[4])
local cursor, pairs = found[1], found[2]
local live, rows, dead = {}, {}, {}
for i = 1, #pairs, 2 do
  if #pairs[i + 1] == 4 then
    dead[#dead + 1] = pairs[i]
  else
    live[#live + 1] = pairs[i]
    rows[#rows + 1], rows[#rows + 2] = pairs[i], pairs[i + 1]
  end
end

local STEP = 1000
local function slices(list, width, do_)
  for first = 1, #list, STEP * width do
    local last = first + STEP * width - 1
    if last > #list then last = #list end
    do_(first, last)
  end
end

-- Every score is looked up before the first write.
local adds = {}
for j = 1, INDEXES do
  local add, lost = {}, false
  slices(live, 1, function(first, last)
    local scores = redis.call('ZMSCORE', shadow(j), unpack(live, first, last))
    for i = first, last do
      local score = scores[i - first + 1]
      if not score then lost = true end
      add[#add + 1], add[#add + 2] = score, live[i]
    end
  end)
  if lost then return answer('LOST', t) end
  adds[j] = add
end

slices(rows, 2, function(a, b) redis.call('HSET', ROWS, unpack(rows, a, b)) end)
for j = 1, INDEXES do
  slices(adds[j], 2, function(a, b) redis.call('ZADD', merged(j), unpack(adds[j], a, b)) end)
end
slices(live, 1, function(a, b) redis.call('HDEL', STAGED, unpack(live, a, b)) end)
slices(dead, 1, function(a, b)
  redis.call('HDEL', STAGED, unpack(dead, a, b))
  redis.call('HDEL', ROWS, unpack(dead, a, b))
end)
remove(shadow, live)
remove(merged, dead)
if redis.call('HLEN', STAGED) == 0 then t[5] = 'clear' end
save(t)
t[3] = cursor
return answer('OK', t)
