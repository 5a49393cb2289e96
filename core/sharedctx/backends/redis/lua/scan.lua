local base = KEYS[1]
local call = redis.call
local function int(n) return string.format('%.0f', n) end
-- ARGV: pk, # or =, lo, hi or '', limit, 1 for newest first. Returns sort keys and rows in turns.
local pk, lo, hi, limit, back = ARGV[1], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6] == '1'
local found = {}
if ARGV[2] == '=' then
    local low = '[' .. lo
    local high = hi == '' and '+' or '(' .. string.sub(hi, 2)
    local names
    if back then
        names = call('ZRANGE', base .. 't:' .. pk, high, low, 'BYLEX', 'REV', 'LIMIT', 0, limit)
    else
        names = call('ZRANGE', base .. 't:' .. pk, low, high, 'BYLEX', 'LIMIT', 0, limit)
    end
    for at = 1, #names, 1000 do
        local page = {unpack(names, at, math.min(at + 999, #names))}
        local rows = call('HMGET', base .. 'r:' .. pk, unpack(page))
        for i, name in ipairs(page) do
            found[#found + 1] = name
            found[#found + 1] = rows[i]
        end
    end
    return found
end
local d = base .. 'd:' .. pk
local ends = call('HMGET', d, 'F', 'H')
if not ends[2] or ends[2] == '0' then return found end
local first = math.max(tonumber(lo), tonumber(ends[1]))
local last = tonumber(ends[2])
if hi ~= '' then last = math.min(last, tonumber(hi) - 1) end
if last - first > 1000 + 4 * call('HLEN', d) then
    -- Few of these numbers are there: those that are, rather than all that might be.
    local there = {}
    for _, name in ipairs(call('HKEYS', d)) do
        local number = tonumber(name)
        if number and number >= first and number <= last then there[#there + 1] = number end
    end
    table.sort(there, function(one, other) if back then return one > other end return one < other end)
    for n = 1, math.min(limit, #there) do
        found[#found + 1] = int(there[n])
        found[#found + 1] = call('HGET', d, int(there[n]))
    end
    return found
end
local step = back and -1 or 1
local at = back and last or first
local count = 0
while count < limit and at >= first and at <= last do
    local numbers = {}
    local size = math.min(limit - count, 1000)
    while #numbers < size and at >= first and at <= last do
        numbers[#numbers + 1] = int(at)
        at = at + step
    end
    local rows = call('HMGET', d, unpack(numbers))
    for i, number in ipairs(numbers) do
        if rows[i] then
            found[#found + 1] = number
            found[#found + 1] = rows[i]
            count = count + 1
        end
    end
end
return found
