-- What scripts that remove rows share; they have `base` and `call`.
local function int(n) return string.format('%.0f', n) end
local function stamp(row) return string.match(row, '^(%d+%-%d+) ') end

-- The nearest version that is there, from one number to another, or nil. Of few with wide gaps between them all names
-- are looked at, rather than every number.
local function nearest(d, from, to)
    local step = from <= to and 1 or -1
    local most = call('HLEN', d) + 64
    for at = from, to, step do
        if call('HEXISTS', d, int(at)) == 1 then return at end
        most = most - 1
        if most == 0 then break end
    end
    if most > 0 then return nil end
    local best = nil
    for _, name in ipairs(call('HKEYS', d)) do
        local at = tonumber(name)
        if at and (at - from) * step >= 0 and (to - at) * step >= 0 and (not best or (best - at) * step > 0) then
            best = at
        end
    end
    return best
end

-- Take a partition off the list if it holds no rows; its last number stays known.
local function settle(pk)
    local d = base .. 'd:' .. pk
    local held = call('HMGET', d, 'H', 'L')
    if (not held[1] or held[1] == '0') and call('EXISTS', base .. 't:' .. pk) == 0 then
        if held[2] and held[2] ~= '0' then call('HSET', base .. 'l', pk, held[2]) end
        call('DEL', d)
        call('ZREM', base .. 'p', pk)
    end
end

-- Remove a row by its code; returns it, or false.
local function remove(pk, code)
    local name = string.sub(code, 2)
    if string.sub(code, 1, 1) == '=' then
        local r = base .. 'r:' .. pk
        local row = call('HGET', r, name)
        if not row then return false end
        call('HDEL', r, name)
        call('ZREM', base .. 't:' .. pk, name)
        call('ZREM', base .. 'x:' .. pk, code)
        return row
    end
    local d = base .. 'd:' .. pk
    local row = call('HGET', d, name)
    if not row then return false end
    call('HDEL', d, name)
    call('ZREM', base .. 'x:' .. pk, code)
    local ends = call('HMGET', d, 'F', 'H')
    local first, head = tonumber(ends[1]), tonumber(ends[2])
    if head == tonumber(name) then
        head = head > first and nearest(d, head - 1, first) or 0
        call('HSET', d, 'H', int(head))
    elseif first == tonumber(name) then
        call('HSET', d, 'F', int(nearest(d, first + 1, head)))
    end
    return row
end
