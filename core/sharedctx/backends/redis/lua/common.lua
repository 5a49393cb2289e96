-- What scripts that remove rows share; they have `base` and `call`.
local function int(n) return string.format('%.0f', n) end
local function stamp(row) return string.match(row, '^(%d+%-%d+) ') end

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
        repeat head = head - 1 until head < first or call('HEXISTS', d, int(head)) == 1
        if head < first then head = 0 end
        call('HSET', d, 'H', int(head))
    elseif first == tonumber(name) then
        repeat first = first + 1 until call('HEXISTS', d, int(first)) == 1
        call('HSET', d, 'F', int(first))
    end
    return row
end
