-- Forget the numbers of partitions that hold nothing, if none holds anything.
if redis.call('EXISTS', KEYS[1] .. 'p') == 0 then redis.call('DEL', KEYS[1] .. 'l') end
