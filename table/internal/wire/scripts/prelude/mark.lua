-- What delete and discard share. ARGV after the common ones: how, marks, index, witnesses,
-- then the marks' keys; for 'same' and 'whole' also their rows and their scores as they were read;
-- for 'whole' also the witnesses' keys, rows and scores, and min, max of each interval.
-- how: 'all' mark all, for nothing has changed since they were read; 'keys' mark those that are there; 'same' mark each that
-- still is as it was read; 'whole' mark all, if they and the witnesses still are all that lies in the intervals.
-- Verdicts: 1 it was marked, 0 there is none, 2 it has changed.
local how, n, index, witnesses = unpack(ARGV, COMMON + 1, COMMON + 4)
n, index, witnesses = tonumber(n), tonumber(index), tonumber(witnesses)
local FIRST = COMMON + 4

-- compare compares what find finds for the i-th of m entries, which ARGV lists from base + 1 on, with what was read.
local function compare(find, base, m, i)
  local row, score = find(ARGV[base + i])
  if not row then return '0' end
  if row == ARGV[base + m + i] and number(score) == number(ARGV[base + 2 * m + i]) then return '1' end
  return '2'
end

-- undisturbed tells whether the intervals hold exactly what was read in them.
local function undisturbed(find, visible)
  local base = FIRST + 3 * n
  for i = 1, n do
    if compare(find, FIRST, n, i) ~= '1' then return false end
  end
  for i = 1, witnesses do
    if compare(find, base, witnesses, i) ~= '1' then return false end
  end
  local count = 0
  for k = base + 3 * witnesses + 1, #ARGV, 2 do count = count + visible(ARGV[k], ARGV[k + 1]) end
  return count == n + witnesses
end

-- marks returns the keys to mark and all verdicts.
local function marks(find, visible)
  local chosen, verdicts, twice = {}, {}, {}
  local disturbed = how == 'whole' and not undisturbed(find, visible)
  for i = 1, n do
    local key, verdict = ARGV[FIRST + i], '1'
    if disturbed then
      verdict = '2'
    elseif twice[key] then
      verdict = '0'
    elseif how == 'same' then
      verdict = compare(find, FIRST, n, i)
    elseif how == 'keys' and not find(key) then
      verdict = '0'
    end
    verdicts[i] = verdict
    if verdict == '1' then chosen[#chosen + 1], twice[key] = key, true end
  end
  return chosen, table.concat(verdicts)
end
