-- ARGV: lane, number of the request in it, 1 if it is sent again, if_rev, 1 to register, then 6 for each operation:
-- p(ut) d(rop) c(heck), pk, '' or =text or #number, condition, expires, value
local lane = base .. 'q:' .. ARGV[1]
if ARGV[3] == '1' then
    local held = call('GET', lane)
    local number, reply = string.match(held or '', '^(%d+) (.*)$')
    if number == ARGV[2] then return reply end
end
local meta = call('HMGET', base .. 'm', 'rev', 'g')
if not meta[2] and ARGV[5] ~= '1' then return 'R' end
local rev = tonumber(meta[1] or 0)
local function answer(reply)
    call('SET', lane, ARGV[2] .. ' ' .. reply, 'EX', 1800)
    return reply
end
if ARGV[4] ~= '' and tonumber(ARGV[4]) ~= rev then return answer('S ' .. int(rev)) end
local changing = false
for i = 6, #ARGV, 6 do
    local kind, pk, sk, when = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
    if kind == 'p' then changing = true end
    if when ~= '' then
        if sk == '' then
            local head = call('HGET', base .. 'd:' .. pk, 'H') or '0'
            if head ~= (when == 'a' and '0' or when) then
                return answer('C ' .. int((i - 6) / 6) .. ' ' .. head)
            end
        else
            local there = call('HEXISTS', base .. 'r:' .. pk, string.sub(sk, 2)) == 1
            if there ~= (when == 'p') then return answer('C ' .. int((i - 6) / 6) .. ' ') end
        end
    end
end
local n = 0
local feed = base .. 'f'
local function tell(code, pk)
    call('XADD', feed, int(rev + 1) .. '-' .. int(n), pk, code)
    n = n + 1
end
local dropped = {}
for i = 6, #ARGV, 6 do
    if ARGV[i] == 'd' then
        local pk, code = ARGV[i + 1], ARGV[i + 2]
        local row = remove(pk, code)
        if row then
            call('XDEL', feed, stamp(row))
            tell('-' .. code, pk)
            dropped[#dropped + 1] = pk
        end
    end
end
if not changing and n == 0 then return answer('K ' .. int(rev)) end
local reply = 'K ' .. int(rev + 1)
for i = 6, #ARGV, 6 do
    if ARGV[i] == 'p' then
        local pk, sk, expires, value = ARGV[i + 1], ARGV[i + 2], ARGV[i + 4], ARGV[i + 5]
        local at = int(rev + 1) .. '-' .. int(n)
        local row = at .. ' ' .. expires .. ' ' .. value
        local code
        if sk == '' then
            local d = base .. 'd:' .. pk
            local held = call('HMGET', d, 'L', 'H')
            local last = held[1]
            if not last then
                last = call('HGET', base .. 'l', pk) or '0'
                call('ZADD', base .. 'p', 0, pk)
            end
            local number = int(tonumber(last) + 1)
            if held[2] and held[2] ~= '0' then
                call('HSET', d, number, row, 'L', number, 'H', number)
            else
                call('HSET', d, number, row, 'L', number, 'H', number, 'F', number)
            end
            code = '#' .. number
            reply = reply .. ' ' .. number
        else
            local name = string.sub(sk, 2)
            local r = base .. 'r:' .. pk
            local old = call('HGET', r, name)
            if old then
                call('XDEL', feed, stamp(old))
                call('ZREM', base .. 'x:' .. pk, sk)
            else
                call('ZADD', base .. 't:' .. pk, 0, name)
                call('ZADD', base .. 'p', 0, pk)
            end
            call('HSET', r, name, row)
            code = sk
        end
        if expires ~= '' then call('ZADD', base .. 'x:' .. pk, expires, code) end
        tell('+' .. code, pk)
    end
end
for _, pk in ipairs(dropped) do settle(pk) end
if ARGV[5] == '1' then
    call('HSET', base .. 'm', 'rev', int(rev + 1), 'g', '1')
else
    call('HSET', base .. 'm', 'rev', int(rev + 1))
end
return answer(reply)
