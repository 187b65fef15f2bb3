<?php
// SPDX-License-Identifier: Apache-2.0
// index.php -- the list of a resident's orders, as PHP-FPM would have it.
//
// The same work on the same data as planet-worker and the Fastify service.
// Connections to Redis and SQLite stay open between requests; the code
// comes from opcache.
declare(strict_types=1);

const RESIDENT = 1;
const PAGE = 20;
const SELECT = 'SELECT w.id, w.state, w.org_id AS station_id,'
	. ' w.station, w.station_phone, w.address_id,'
	. ' w.place, w.floor, w.contact, w.phone_mask AS phone,'
	. ' w.assignee_id AS courier_id, w.courier,'
	. ' w.window_from, w.window_to, w.items, w.goods_fen,'
	. ' w.floor_fen, w.total_fen, w.payment, w.tickets,'
	. ' w.empties, w.deposit_fen, w.paid_at, w.note,'
	. ' w.reason, w.urged,'
	. ' w.deadline_at, w.created_at, w.updated_at, w.code'
	. ' FROM water_order w'
	. ' WHERE w.community_id = ? AND w.owner_id = ?';
const LABEL = ['placed' => '待接单', 'accepted' => '已接单',
	'delivering' => '配送中', 'delivered' => '已送达',
	'completed' => '已完成', 'cancelled' => '已取消',
	'rejected' => '未接单'];
const CAN = ['placed' => ['cancel'], 'accepted' => ['cancel'],
	'delivering' => ['confirm'], 'delivered' => ['confirm'],
	'completed' => [], 'cancelled' => [], 'rejected' => []];

function answer(int $status, array $value): never
{
	http_response_code($status);
	header('Content-Type: application/json');
	header('Cache-Control: no-store');
	echo json_encode($value, JSON_UNESCAPED_UNICODE
		| JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);
	exit;
}

// A cursor's checksum, by what is derived from the last key of the file.
function sign(string $raw): string
{
	$lines = explode("\n", trim(file_get_contents(getenv('BENCH_KEYS'))));
	$key = hash_hkdf('sha256',
		base64_decode(explode(' ', end($lines))[1]), 32, 'cursor');
	return substr(hash_hmac('sha256', $raw, $key, true), 0, 16);
}

function moment(?int $ms): ?string
{
	if ($ms === null)
		return null;
	$s = gmdate('Y-m-d\TH:i:s', intdiv($ms, 1000) + 8 * 3600);
	$rest = $ms % 1000;
	return $s . ($rest ? sprintf('.%03d', $rest) : '') . '+08:00';
}

function cursor(int $id): string
{
	$raw = pack('J', $id);
	$raw .= sign($raw);
	return rtrim(strtr(base64_encode($raw), '+/', '-_'), '=');
}

// The id in a cursor of ours, or null.
function read_cursor(string $text): ?int
{
	$raw = base64_decode(strtr($text, '-_', '+/'));
	if ($raw === false || strlen($raw) !== 24
		|| !hash_equals(sign(substr($raw, 0, 8)), substr($raw, 8)))
		return null;
	return unpack('J', $raw)[1];
}

// The caller from Redis: "v1 user community roles staff life expires".
function session(): array
{
	$head = $_SERVER['HTTP_AUTHORIZATION'] ?? '';
	if (!str_starts_with($head, 'Bearer '))
		answer(401, ['code' => 'no_session']);
	$redis = new Redis();
	$redis->pconnect(getenv('BENCH_REDIS'));
	$value = $redis->get('sess:' . hash('sha256', substr($head, 7)));
	$f = $value === false ? [] : explode(' ', $value);
	if (($f[0] ?? '') !== 'v1' || (int)$f[6] <= microtime(true) * 1000)
		answer(401, ['code' => 'no_session']);
	if (((int)$f[3] & RESIDENT) === 0)
		answer(403, ['code' => 'forbidden']);
	return [(int)$f[1], (int)$f[2]];
}

function rows(int $user, int $community, int $limit): array
{
	$db = new PDO('sqlite:' . getenv('BENCH_DATABASE'), null, null, [
		PDO::ATTR_PERSISTENT => true,
		PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
	$args = [$community, $user];
	$sql = SELECT;
	if (isset($_GET['after'])) {
		$id = read_cursor($_GET['after']);
		if ($id === null)
			answer(400, ['code' => 'malformed']);
		$args[] = $id;
		$sql .= ' AND w.id < ?';
	}
	$args[] = $limit + 1;
	$st = $db->prepare($sql . ' ORDER BY w.id DESC LIMIT ?');
	foreach ($args as $i => $value)
		$st->bindValue($i + 1, $value, PDO::PARAM_INT);
	$st->execute();
	return $st->fetchAll(PDO::FETCH_ASSOC);
}

function order(array $row): array
{
	$state = $row['state'];
	$code = $row['code'];
	unset($row['code']);
	$row['id'] = (string)$row['id'];
	$row['station_id'] = (string)$row['station_id'];
	$row['address_id'] = (string)$row['address_id'];
	if ($row['courier_id'] !== null)
		$row['courier_id'] = (string)$row['courier_id'];
	$row['items'] = json_decode($row['items']);
	foreach (['window_from', 'window_to', 'paid_at', 'deadline_at',
		'created_at', 'updated_at'] as $name)
		$row[$name] = moment($row[$name]);
	$row['state_label'] = LABEL[$state];
	$row['handover_code'] = $state === 'delivering' ? $code : null;
	$row['can'] = CAN[$state];
	return $row;
}

[$user, $community] = session();
$limit = filter_var($_GET['limit'] ?? PAGE, FILTER_VALIDATE_INT,
	['options' => ['min_range' => 1, 'max_range' => 100]]);
if ($limit === false)
	answer(422, ['code' => 'field']);
$rows = rows($user, $community, $limit);
$next = null;
if (count($rows) > $limit) {
	array_pop($rows);
	$next = cursor($rows[$limit - 1]['id']);
}
foreach ($rows as $i => $row)
	$rows[$i] = order($row);
answer(200, ['items' => $rows, 'next' => $next]);
