#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the signed timestamp: what is one, and whether it is inside the
# window, with nginx's clock standing still.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use POSIX qw/ strftime /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()->plan(314);

my $secret = 'a secret of the timestamp test';
my $now = 1764000000;

$t->write_file_expand('nginx.conf', <<'EOF');

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    webhook_scheme s {
        timestamp  $http_x_timestamp;
        tolerance  5m;
        signature  $http_x_signature;
        signed     "$http_x_id|$webhook_timestamp|$request_body";
        event_id   $http_x_id;
    }

    webhook_scheme ms from=s {
        timestamp  $http_x_timestamp unit=ms;
    }

    webhook_scheme rfc3339 from=s {
        timestamp  $http_x_timestamp unit=rfc3339;
    }

    webhook_scheme iso8601 from=s {
        timestamp  $http_x_timestamp unit=iso8601;
    }

    webhook_scheme http from=s {
        timestamp  $http_x_timestamp unit=http;
    }

    webhook_scheme kv from=s {
        timestamp  $http_x_signature separator=, prefix=t=;
        signature  $http_x_signature separator=, prefix=v1=;
    }

    webhook_scheme item from=s {
        timestamp  $http_x_signature separator=, item=1;
        signature  $http_x_signature separator=, item=2-;
    }

    webhook_scheme several from=s {
        timestamp  $http_x_timestamp $http_x_other;
    }

    webhook_scheme json from=s {
        timestamp  json:/meta/ts;
        signed     "$http_x_id|$request_body";
    }

    webhook_scheme json-ms from=json {
        timestamp  json:/meta/ts unit=ms;
    }

    webhook_scheme two from=s {
        tolerance  10m 60;
    }

    webhook_scheme default from=s {
        timestamp  $http_x_timestamp;
    }

    webhook_scheme unset {
        timestamp  $http_x_timestamp;
        signature  $http_x_signature;
        signed     "$http_x_id|$webhook_timestamp|$request_body";
        event_id   $http_x_id;
    }

    webhook_secret  "a secret of the timestamp test";
    webhook_dedup   zone=events key=timestamp;

    add_header  X-Verdict    "$webhook_status $webhook_reason"  always;
    add_header  X-Age        $webhook_age;
    add_header  X-Timestamp  $webhook_timestamp;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location /s/ {
            webhook_verify     s;
            proxy_pass         http://127.0.0.1:8081;

            location /s/one {
                webhook_tolerance  60;
                proxy_pass         http://127.0.0.1:8081;
            }

            location /s/both {
                webhook_tolerance  2m 10;
                proxy_pass         http://127.0.0.1:8081;
            }

            location /s/past {
                webhook_tolerance  2m 0;
                proxy_pass         http://127.0.0.1:8081;
            }

            location /s/zero {
                webhook_tolerance  0;
                proxy_pass         http://127.0.0.1:8081;
            }

            location /s/off {
                webhook_tolerance  off;
                proxy_pass         http://127.0.0.1:8081;
            }
        }

%%LOCATIONS%%
    }
}

EOF

(my $conf = $t->read_file('nginx.conf'))
	=~ s!%%LOCATIONS%%!join '', map { <<"EOF" }
        location /$_/ {
            webhook_verify  $_;
            proxy_pass      http://127.0.0.1:@{[ port(8081) ]};
        }

EOF
	qw/ ms rfc3339 iso8601 http kv item several json json-ms two unset /!e;

$t->write_file('nginx.conf', $conf);

my $u = upstream(8081);

$t->clock($now)->run();

my $body = '{"id":"of no importance"}';
my $ids = 0;
my $date = strftime('%Y-%m-%dT%H:%M:%S', gmtime($now));
my $day = substr $date, 0, 10;
my $http = 'Mon, 24 Nov 2025 16:00:00 GMT';

###############################################################################

# not a number, and not one of ten digits; the digest is right for each

my %bad = (
	'nan' => 'nan', 'inf' => 'inf', 'infinity' => 'infinity',
	'exponent' => '1e9', 'exponent of ten digits' => '176400000e',
	'hex' => '0x69248400', 'plus' => "+$now", 'minus' => "-$now",
	'minus one' => '-1', 'zero' => '0', 'fraction' => "$now.5",
	'fraction of none' => "$now.", 'text behind' => "${now}abc",
	'text before' => "abc$now", 'space inside' => '17640 00000',
	'date' => '2025-11-24', 'quoted' => "\"$now\"",
	'full-width digits' => "\xef\xbc\x91" x 10, 'underscore' => '1764_00000',
	'thousands' => '1764,000,000', 'octal' => "0o$now",
	'nine digits' => '999999999', 'nine of ten' => '176400000',
	'eleven digits' => "${now}0", 'leading zero' => "0$now",
	'leading zeroes' => "000$now", 'twelve digits' => "${now}00",
	'milliseconds' => "${now}000", 'fourteen digits' => "${now}0000",
	'twenty digits' => '18446744073709551616',
	'wraps to now in 64 bits' => '18446744075473551616',
	'wraps to now in 32 bits' => '6058967296' . '0',
	'very many' => '1' x 300,
);

foreach my $name (sort keys %bad) {
	refused($name, 's', 'malformed_timestamp', $bad{$name});
	refused("$name, no window", 's', 'malformed_timestamp', $bad{$name},
		at => 'off') if length $bad{$name} < 100;
}

refused('seconds for milliseconds', 'ms', 'malformed_timestamp', $now);
refused('twelve digits for milliseconds', 'ms', 'malformed_timestamp',
	"${now}00");
refused('fourteen digits for milliseconds', 'ms', 'malformed_timestamp',
	"${now}0000");
refused('fraction of a millisecond', 'ms', 'malformed_timestamp',
	"${now}000.5");
refused('number for a date', 'rfc3339', 'malformed_timestamp', $now);

refused('32 bits later', 's', 'future_timestamp', $now + 2 ** 32);
refused('first of ten digits', 's', 'stale_timestamp', '1000000000');
refused('zeroes', 's', 'stale_timestamp', '0000000000');
refused('year 2100', 's', 'future_timestamp', '4102444800');
refused('last of ten digits', 's', 'future_timestamp', '9999999999');
refused('last of thirteen digits', 'ms', 'future_timestamp', '9' x 13);

# none, an empty one, two

refused('missing', 's', 'missing_timestamp', undef);
refused('missing, no window', 's', 'missing_timestamp', undef, at => 'off');
refused('empty', 's', qr/missing_timestamp|malformed_timestamp/, '');
refused('twice', 's', 'malformed_timestamp', [ $now, $now ]);
refused('twice, differing', 's', 'malformed_timestamp', [ $now, $now - 1 ]);
refused('twice, no window', 's', 'malformed_timestamp', [ $now, $now ],
	at => 'off');
refused('comma-joined', 's', 'malformed_timestamp', "$now, $now");

# inside the header of the signature

my $old = $now - 1;

foreach my $case (
	[ 'in front', "t=$now,v1=D" ],
	[ 'behind', "v1=D,t=$now" ],
	[ 'spaces around', " t=$now , v1=D " ],
	[ 'others beside', "v0=1,t=$now,tt=3,v1=D" ])
{
	my ($name, $value) = @$case;
	passes("kv: $name", 'kv', $now, value => $value);
}

foreach my $case (
	[ 'space after the prefix', "t= $now,v1=D", " $now" ],
	[ 'tab after the prefix', "t=\t$now,v1=D", "\t$now" ],
	[ 'space inside', 't=17640 00000,v1=D', '17640 00000' ],
	[ 'plus', "t=+$now,v1=D", "+$now" ],
	[ 'empty', 't=,v1=D', '' ],
	[ 'twice, the first', "t=$now,t=$old,v1=D" ],
	[ 'twice, the second', "t=$old,t=$now,v1=D" ],
	[ 'twice the same', "t=$now,t=$now,v1=D" ],
	[ 'twice around', "t=$now,v1=D,t=$now" ],
	[ 'right and malformed', "t=$now,t=x,v1=D" ],
	[ 'right and empty', "t=$now,t=,v1=D" ],
	[ 'in two lines', [ "t=$now", "t=$now,v1=D" ] ])
{
	my ($name, $value, $text) = @$case;
	refused("kv: $name", 'kv', qr/malformed_timestamp|missing_timestamp/,
		defined $text ? $text : $now, value => $value);
}

refused('kv: none', 'kv', 'missing_timestamp', $now, value => 'v1=D');
refused('kv: in upper case', 'kv', 'missing_timestamp', $now,
	value => "T=$now,v1=D");
passes('kv: in a line of its own', 'kv', $now,
	value => [ "t=$now", 'v1=D' ]);

passes('item', 'item', $now, value => "$now,D");
passes('item, spaces', 'item', $now, value => " $now , D ");
refused('item, the other order', 'item',
	qr/malformed_timestamp|missing_timestamp|malformed_signature/, $now, value => "D,$now");

# several sources: the first that is there

passes('first source', 'several', $now);
passes('second source', 'several', $now, headers => [],
	other => $now);
passes('both, the first counts', 'several', $now, other => $now - 1000);
refused('both, the first is stale', 'several', 'stale_timestamp', $now - 301,
	other => $now);
refused('both, the second is signed', 'several', 'signature_mismatch', $now,
	sent => $now - 1, other => $now);
refused('both, the first is malformed', 'several', 'malformed_timestamp', 'x',
	other => $now);

# the window

foreach my $case (
	[ 's', '', 300, 300 ],
	[ 'unset', '', 300, 300 ],
	[ 'two', '', 600, 60 ],
	[ 's', 'one', 60, 60 ],
	[ 's', 'both', 120, 10 ],
	[ 's', 'past', 120, 0 ],
	[ 's', 'zero', 0, 0 ])
{
	my ($scheme, $at, $past, $future) = @$case;
	my $name = "$scheme, " . ($at || 'default');

	passes("$name: past", $scheme, $now - $past, at => $at);
	passes("$name: future", $scheme, $now + $future, at => $at);
	refused("$name: past by one", $scheme, 'stale_timestamp',
		$now - $past - 1, at => $at);
	refused("$name: future by one", $scheme, 'future_timestamp',
		$now + $future + 1, at => $at);
}

passes('no window: past', 's', '1000000000', at => 'off');
passes('no window: future', 's', '9999999999', at => 'off');
refused('no window: another one signed', 's', 'signature_mismatch', $now,
	sent => $now - 1, at => 'off');

passes('milliseconds', 'ms', $now . '000');
passes('milliseconds: past', 'ms', ($now - 300) . '000');
passes('milliseconds: future', 'ms', ($now + 300) . '000');
refused('milliseconds: past by one', 'ms', 'stale_timestamp',
	($now - 301) . '000');
refused('milliseconds: future by one', 'ms', 'future_timestamp',
	($now + 301) . '000');

# the clock goes on, and back

$t->clock($now + 300);
passes('later', 's', $now);
$t->clock($now + 301);
refused('later by one', 's', 'stale_timestamp', $now, good => $now + 301);
$t->clock($now - 300);
passes('earlier', 's', $now);
$t->clock($now - 301);
refused('earlier by one', 's', 'future_timestamp', $now, good => $now - 301);
$t->clock($now);

# dates: 2025-11-24T16:00:00Z is now

passes("date: $_", 'rfc3339', $_) foreach
	"${date}Z", lc "${date}Z", "${day}t16:00:00Z", "${date}z",
	"${date}+00:00", "${date}-00:00",
	"${day}T18:00:00+02:00", "${day}T09:30:00-06:30", '2025-11-25T00:00:00+08:00',
	"${day}T00:01:00-15:59", '2025-11-25T15:59:00+23:59',
	(map { "$date." . substr('000000000', 0, $_) . 'Z' } 1 .. 9),
	"$date.123456789Z", "$date.5+00:00",
	"${day}T15:55:00Z", "${day}T16:05:00Z";

refused("date: $_->[0]", 'rfc3339', $_->[1], $_->[0]) foreach
	[ "${day}T15:54:59Z", 'stale_timestamp' ],
	[ "${day}T16:05:01Z", 'future_timestamp' ],
	[ "${date}+01:00", 'stale_timestamp' ],
	[ "${date}-01:00", 'future_timestamp' ];

refused("date: $_", 'rfc3339', 'malformed_timestamp', $_) foreach
	"$date.0000000000Z", "$date.Z", "$date,5Z", $date, $day, "${day}T16:00Z",
	"${day}T16Z", "${day} 16:00:00Z", "${day}T16:00:00", "${date}+0000",
	"${date}+00", "${date}+00:0", "${date}+24:00", "${date}+00:60",
	"${date}+ 0:00", "${date}ZZ", "${date}Z+00:00", "x${date}Z",
	"${day}T24:00:00Z", "${day}T16:60:00Z", "${day}T16:00:61Z",
	"${day}T16:00:99Z", "${day}T1:00:00Z", "2025-11-24T16:00:0Z",
	'2025-11-31T16:00:00Z', '2025-02-31T16:00:00Z',
	'2025-02-29T16:00:00Z', '2025-02-30T16:00:00Z', '1900-02-29T16:00:00Z',
	'2025-13-24T16:00:00Z', '2025-00-24T16:00:00Z', '2025-11-00T16:00:00Z',
	'2025-11-32T16:00:00Z', '2025-1-24T16:00:00Z', '025-11-24T16:00:00Z',
	'02025-11-24T16:00:00Z', '+2025-11-24T16:00:00Z', '2025/11/24T16:00:00Z',
	'20251124T160000Z', '2025-W48-1T16:00:00Z', '2025-11-24T16.00.00Z';

refused("date: $_", 'rfc3339', qr/stale_timestamp|malformed_timestamp/, $_)
	foreach '1969-12-31T23:59:59Z', '0000-01-01T00:00:00Z',
	'0001-01-01T00:00:00+23:59', '1970-01-01T00:00:00+00:01';

refused('date: 9999-12-31T23:59:59Z', 'rfc3339', 'future_timestamp',
	'9999-12-31T23:59:59Z');

foreach my $leap ([ 2024, 1 ], [ 2000, 1 ], [ 2028, 1 ]) {
	my ($year) = @$leap;
	my $feb28 = $year == 2024 ? 1709078400 : $year == 2000 ? 951696000
		: 1835308800;

	# the day after February 28 is the 29th

	$t->clock($feb28 + 86400);
	passes("date: $year-02-29", 'rfc3339', "$year-02-29T00:00:00Z");
	$t->clock($feb28 + 2 * 86400);
	passes("date: $year-03-01", 'rfc3339', "$year-03-01T00:00:00Z");
}

$t->clock($now);

# without an offset they are those of UTC

my @iso = ($date, "$date.5", "$date.123456789", "${date}Z", "$date.5Z",
	"${day}T18:00:00+02:00", "${day}T15:55:00", "${day}T16:05:00");
my @not_iso = ($day, "${day}T16:00", "$date.", "${date}+02", "${date}+0200",
	"${date}ZZ", "$date ", "${day} 16:00:00", "${day}T24:00:00");

passes("date: $_", 'iso8601', $_) foreach @iso;
refused("date: $_", 'iso8601', 'malformed_timestamp', $_)
	foreach grep { !/ $/ } @not_iso;
refused("date: $_->[0]", 'iso8601', $_->[1], $_->[0]) foreach
	[ "${day}T15:54:59", 'stale_timestamp' ],
	[ "${day}T16:05:01", 'future_timestamp' ];

# those of HTTP have one form

passes("date: $_", 'http', $_) foreach $http,
	map { $http =~ s/16:00/$_/r } qw/ 15:55 16:05 /;

refused("date: $_", 'http', 'malformed_timestamp', $_) foreach
	(map { $http =~ s/Mon/$_/r } qw/ Tue mon MON Monday /),
	(map { $http =~ s/GMT/$_/r } 'UTC', 'gmt', '+0000', 'GMT0', ''),
	(map { $http =~ s/Nov/$_/r } qw/ nov November Foo 11 /),
	$http =~ s/24/31/r, $http =~ s/16:00/24:00/r, $http =~ s/16/6/r,
	$http =~ s/24/ 4/r, $http =~ s/,//r, 'Monday, 24-Nov-25 16:00:00 GMT',
	'Mon Nov 24 16:00:00 2025', "${date}Z", $now;

refused("date: $_->[0]", 'http', $_->[1], $_->[0]) foreach
	[ $http =~ s/16:00:00/15:54:59/r, 'stale_timestamp' ],
	[ $http =~ s/16:00:00/16:05:01/r, 'future_timestamp' ];

# a leap second ends a day of UTC

$t->clock(1483228800);
passes('date: leap second', 'rfc3339', '2016-12-31T23:59:60Z');
$t->clock($now);

# in the body: judged after the digest

my $json = sub { my ($ts) = @_; qq!{"meta":{"ts":$ts},"x":"y"}! };

passes('json', 'json', undef, body => $json->($now), age => 0);
passes('json: string', 'json', undef, body => $json->(qq!"$now"!), age => 0);
passes('json: past', 'json', undef, body => $json->($now - 300), age => 300);
passes('json: future', 'json', undef, body => $json->($now + 300),
	age => -300);
passes('json: milliseconds', 'json-ms', undef, body => $json->("${now}123"),
	age => 0);

foreach my $case (
	[ 'past by one', 'stale_timestamp', $json->($now - 301) ],
	[ 'future by one', 'future_timestamp', $json->($now + 301) ],
	[ 'milliseconds for seconds', 'malformed_timestamp',
		$json->("${now}000") ],
	[ 'absent', 'missing_timestamp', '{"meta":{}}' ],
	[ 'elsewhere', 'missing_timestamp', qq!{"ts":$now}! ],
	[ 'null', 'missing_timestamp', $json->('null') ],
	[ 'true', qr/missing_timestamp|malformed_timestamp/, $json->('true') ],
	[ 'an object', 'missing_timestamp', $json->('{}') ],
	[ 'a list', 'missing_timestamp', $json->("[$now]") ],
	[ 'empty', qr/missing_timestamp|malformed_timestamp/,
		$json->('""') ],
	[ 'fraction', qr/missing_timestamp|malformed_timestamp/,
		$json->("$now.0") ],
	[ 'exponent', qr/missing_timestamp|malformed_timestamp/,
		$json->('1764e6') ],
	[ 'minus', 'malformed_timestamp', $json->("-$now") ],
	[ 'space', 'malformed_timestamp', $json->(qq!" $now"!) ],
	[ 'text', 'malformed_timestamp', $json->('"now"') ],
	[ 'twice', 'ambiguous_json', qq!{"meta":{"ts":$now,"ts":$now}}! ],
	[ 'twice above', 'ambiguous_json',
		qq!{"meta":{"ts":$now},"meta":{"ts":$now}}! ],
	[ 'twice, one escaped', 'ambiguous_json',
		qq!{"meta":{"ts":$now,"t\\u0073":$now}}! ],
	[ 'not JSON', qr/missing_timestamp|invalid_json/, "ts=$now" ],
	[ 'cut off', qr/missing_timestamp|invalid_json/,
		qq!{"meta":{"ts":$now}! ],
	[ 'nothing', qr/missing_timestamp|invalid_json/, '' ])
{
	my ($name, $reason, $text) = @$case;
	refused("json: $name", 'json', $reason, undef, body => $text);
}

refused('json: seconds for milliseconds', 'json-ms', 'malformed_timestamp',
	undef, body => $json->($now));

# a digest that is wrong is all that is said of it

my %event = event('json', undef, body => $json->($now - 1000));
is(got(%event, body => $json->($now - 2000)),
	'401 REJECTED signature_mismatch 0', 'json: forged and stale');

# variables

foreach my $age (0, 1, 299, -1, -300) {
	my %req = event('s', $now - $age);
	my $r = request(%req);

	is($r->header('X-Age') . ' ' . $r->header('X-Timestamp'),
		$age . ' ' . ($now - $age), "age $age");
}

foreach my $case ([ 'ms', ($now - 10) . '999', qr/^(?:9|10)$/ ],
	[ 'rfc3339', "${day}T18:00:10.000+02:00", qr/^-10$/ ])
{
	my ($scheme, $ts, $age) = @$case;
	my $r = request(event($scheme, $ts));

	like($r->header('X-Age'), $age, "$scheme age");
	is($r->header('X-Timestamp'), $ts, "$scheme timestamp as sent");
}

###############################################################################

# once; with one byte of the body different it is refused before that

sub passes {
	my ($name, $scheme, $ts, %opts) = @_;

	my %req = event($scheme, $ts, %opts);

	is(join('; ', got(%req, body => "$req{body} "), got(%req), got(%req)),
		'401 REJECTED signature_mismatch 0; 200 PASSED 1;'
		. ' 200 DUPLICATE already_delivered 0', $name);
}

# refused, though signed, and not remembered: one of that id passes, once

sub refused {
	my ($name, $scheme, $reason, $ts, %opts) = @_;

	my %req = event($scheme, $ts, %opts);

	my $good = defined $opts{good} ? $opts{good}
		: $scheme =~ /^(?:rfc3339|iso8601)$/ ? "${date}Z"
		: $scheme eq 'http' ? $http
		: $scheme eq 'ms' ? "${now}000" : $now;

	my %good = event($scheme, $scheme =~ /^json/ ? undef : $good,
		id => $req{id}, at => $opts{at}, $scheme =~ /^json/ ? (body =>
			$json->($scheme eq 'json' ? $now : "${now}000")) : (),
		$scheme eq 'kv' ? (value => "t=$now,v1=D") :
			$scheme eq 'item' ? (value => "$now,D") : ());

	like(join('; ', got(%req), got(%good), got(%good)),
		qr/^401\ REJECTED\ (?:$reason)\ 0;\ 200\ PASSED\ 1;
		\ 200\ DUPLICATE\ already_delivered\ 0$/x, $name);
}

sub event {
	my ($scheme, $ts, %opts) = @_;

	my $id = defined $opts{id} ? $opts{id} : 'event-' . ++$ids;
	my $text = defined $opts{body} ? $opts{body} : $body;
	my $signed = defined $opts{other} && $opts{headers} ? $opts{other}
		: ref $ts ? $ts->[0] : $ts;

	my $digest = unpack 'H*', hmac('sha256', $secret, join '|', $id,
		($scheme =~ /^json/ ? () : defined $signed ? $signed : ''),
		$text);

	my $value = defined $opts{value} ? $opts{value} : $digest;
	my @lines = map { (my $s = $_) =~ s/\bD\b/$digest/g; $s }
		ref $value ? @$value : $value;

	my $sent = defined $opts{sent} ? $opts{sent} : $ts;
	my @headers;

	push @headers, [ 'X-Timestamp', $sent ] if defined $sent
		and !defined $opts{value} and !$opts{headers};
	push @headers, [ 'X-Other', $opts{other} ] if defined $opts{other};

	return (id => $id, body => $text,
		uri => "/$scheme/" . (defined $opts{at} ? $opts{at} : ''),
		headers => [ @headers, [ 'X-Id', $id ],
			[ 'X-Signature', \@lines ] ]);
}

sub got {
	return judged($u, @_);
}

###############################################################################
