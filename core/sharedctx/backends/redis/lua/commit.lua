local base = KEYS[1]
local call, match, format = redis.call, string.match, string.format
-- The store's id and what names this run of the server, eight letters and sixteen.
local run = '@run'
-- ARGV[1]: lane, number of the request in it, if_rev or nothing, 1 to register.
-- Then for each operation: p(ut), d(rop) or c(heck), its condition, expires, and nothing, =text or #number; pk; value.
local lane, number, if_rev, register = match(ARGV[1], '^(%S+) (%d+) (%S*) (%d)$')
lane = base .. 'q:' .. lane
-- A request that its sender gave up can still arrive after it was sent again, even after later ones of its lane.
local known = call('GET', lane)
if known then
    local last, reply = match(known, '^(%d+) (.*)$')
    if last == number then return reply end
    if tonumber(last) > tonumber(number) then return 'L' end
end
local meta = call('HMGET', base .. 'm', 'rev', 'g')
local before = meta[2]
if register ~= '1' and string.sub(before or '', 1, 8) ~= string.sub(run, 1, 8) then return 'R' end
local rev = meta[1] or '0'
if rev == '0' and call('TYPE', base .. 'f').ok == 'stream' then return 'E' end
local function answer(reply)
    call('SET', lane, number .. ' ' .. reply, 'EX', 1800)
    return reply
end
if if_rev ~= '' and if_rev ~= rev then return answer('S ' .. rev) end
local puts, drops = {}, {}
for i = 2, #ARGV, 3 do
    local kind, when, expires, sk = 'p', '', '', ''
    if ARGV[i] ~= 'p   ' then kind, when, expires, sk = match(ARGV[i], '^(%a) (%S*) (%S*) (.*)$') end
    local pk = ARGV[i + 1]
    local held, asked = false, nil
    if sk == '' then held = call('HMGET', base .. 'd:' .. pk, 'H', 'L') end
    if when ~= '' then
        if held then
            local head = held[1] or '0'
            local wanted, given, at, number = match(when, '^(%d+),?(%d*),?(%d*),?(%d*)$')
            asked = number
            if head ~= (when == 'a' and '0' or wanted) then
                return answer('C ' .. format('%d', (i - 2) / 3) .. ' ' .. head)
            end
            if at and at ~= '' and match(call('HGET', base .. 'd:' .. pk, head) or '', '^(%d+)%-') ~= at then
                return answer('C ' .. format('%d', (i - 2) / 3) .. ' ' .. head .. ' @')
            end
            if given and given ~= '' then
                local last = held[2] or call('HGET', base .. 'l', pk) or '0'
                if given ~= last then
                    return answer('C ' .. format('%d', (i - 2) / 3) .. ' ' .. head .. ' ' .. last)
                end
            end
        else
            local there
            local at = match(when, '^@(%d+)$')
            if at then
                there = match(call('HGET', base .. 'r:' .. pk, string.sub(sk, 2)) or '', '^(%d+)%-') == at
            else
                there = call('HEXISTS', base .. 'r:' .. pk, string.sub(sk, 2)) == 1
            end
            if there == (when == 'a') then return answer('C ' .. format('%d', (i - 2) / 3) .. ' ') end
        end
    end
    if kind == 'p' then puts[#puts + 1] = {pk, sk, expires, ARGV[i + 2], held, asked} end
    if kind == 'd' then drops[#drops + 1] = {pk, sk} end
end
local n = 0
local feed = base .. 'f'
-- A server that evicts may have removed the feed alone: whoever has not heard all that it told is to read anew.
local lost = rev ~= '0' and call('EXISTS', feed) == 0
local next = format('%.0f', tonumber(rev) + 1)
local gone
if before ~= run and rev ~= '0' then
    -- A server that was started again, or took over, may have lost its last commits: no revision is given twice.
    gone = rev
    next = format('%.0f', (math.floor(tonumber(rev) / 2^30) + 1) * 2^30 + 1)
end
local dropped = {}
local settled
if #drops > 0 then
    --@common
    settled = settle
    for _, op in ipairs(drops) do
        local pk, code = op[1], op[2]
        local row = remove(pk, code)
        if row then
            call('XDEL', feed, stamp(row))
            call('XADD', feed, next .. '-' .. n, pk, '-' .. code)
            n = n + 1
            dropped[#dropped + 1] = pk
        end
    end
    -- What was read of a partition may have changed by a drop.
    for _, op in ipairs(puts) do
        if op[5] then op[5] = call('HMGET', base .. 'd:' .. op[1], 'H', 'L') end
    end
end
if #puts == 0 and n == 0 then return answer('K ' .. rev) end
local reply = 'K ' .. next
-- A script that fails stays half done: what a foreign key in the place of ours makes fail comes before the row.
for _, op in ipairs(puts) do
    local pk, sk, expires, held = op[1], op[2], op[3], op[5]
    local at = next .. '-' .. n
    local row = at .. ' ' .. expires .. ' ' .. op[4]
    local code, version, old = sk, nil, nil
    if held then
        local last = held[2]
        if not last then
            last = call('HGET', base .. 'l', pk) or '0'
            call('ZADD', base .. 'p', 0, pk)
        end
        version = op[6] ~= '' and op[6] or format('%.0f', tonumber(last) + 1)
        code = '#' .. version
        reply = reply .. ' ' .. version
    else
        old = call('HGET', base .. 'r:' .. pk, string.sub(sk, 2))
        if not old then
            call('ZADD', base .. 't:' .. pk, 0, string.sub(sk, 2))
            call('ZADD', base .. 'p', 0, pk)
        end
    end
    if expires ~= '' then call('ZCARD', base .. 'x:' .. pk) end
    call('XADD', feed, at, pk, '+' .. code)
    if old then
        call('XDEL', feed, match(old, '^(%d+%-%d+) '))
        if expires == '' then call('ZREM', base .. 'x:' .. pk, code) end
    end
    if expires ~= '' then call('ZADD', base .. 'x:' .. pk, expires, code) end
    if not held then
        call('HSET', base .. 'r:' .. pk, string.sub(sk, 2), row)
    elseif held[1] and held[1] ~= '0' then
        call('HSET', base .. 'd:' .. pk, version, row, 'L', version, 'H', version)
    else
        call('HSET', base .. 'd:' .. pk, version, row, 'L', version, 'H', version, 'F', version)
    end
    n = n + 1
end
for _, pk in ipairs(dropped) do settled(pk) end
if lost then call('HSET', base .. 'm', 'mark', rev) end
if before == run then
    call('HSET', base .. 'm', 'rev', next)
else
    call('HSET', base .. 'm', 'rev', next, 'g', run)
    if gone then call('HSET', base .. 'm', 'e', (call('HGET', base .. 'm', 'e') or '') .. gone .. ' ') end
end
return answer(reply)
