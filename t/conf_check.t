#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the configuration: what nginx -t refuses, with which message and
# for which line, what it warns about, what it accepts without a word; and what
# a reload does with either.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy map rewrite/);

# "# here" marks the line that a message must name, in the file it is in

my $long = 'a-secret-of-enough-bytes';
my $sig = 'signature $http_x_sig;';

$t->write_file($_->[0], $_->[1]) && chmod 0600, $t->testdir() . "/$_->[0]"
	foreach (
		[ 'secret', "$long\n" ],
		[ 'secret2', "another-secret-of-enough-bytes\n" ],
		[ 'three', "# rotated\n\n$long-1\n  \n\t\n$long-2\r\n$long-3" ],
		[ 'eight', join('', map { "$long-$_\n" } 1 .. 8) ],
		[ 'nine', join('', map { "$long-$_\n" } 1 .. 9) ],
		[ 'empty', '' ],
		[ 'comments', "# nothing\n\n   \n# here\n" ],
		[ 'short', "fifteen-bytes-x\n" ],
		[ 'sixteen', "sixteen-bytes-xx\n" ],
		[ 'shorts', "$long\nfifteen-bytes-x\n" ],
		[ 'before', " $long\n" ],
		[ 'after', "$long\t\n" ],
		[ 'bom', "\xef\xbb\xbf$long\n" ],
		[ 'crs', "$long-1\r$long-2\r" ],
		[ 'whsec', "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n" ],
		[ 'plain64', "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n" ],
		[ 'prefix', "whsec_\n" ],
		[ 'not64', "whsec_this is not base64 at all\n" ],
		[ 'unpadded', "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS\n" ],
		[ 'second64', "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"
			. "whsec_%%%%MfKQ9r8GKYqrTwjUPD8ILPZIo2L\n" ],
		[ 'public', "$long\n" ],
		[ 'big', "#" . 'x' x 65536 . "\n$long\n" ],
	);

chmod 0644, $t->testdir() . '/public';
mkdir $t->testdir() . '/folder';
mkdir $t->testdir() . '/folder2';
symlink 'folder', $t->testdir() . '/link';
symlink 'folder/file', $t->testdir() . '/linked';

# a place that is right, and its parts

my $verify = 'webhook_verify nextpay;';
my $secret = 'webhook_secret file:secret;';
my $zone = "webhook_dedup_zone zone=z:1m;\n";
my $dedup = 'webhook_dedup zone=z;';
my $here = '# here';

sub location {
	my ($text, $http) = @_;
	return (defined $http ? $http : $zone) . "server {\nlocation / {\n"
		. "$text\n}\n}";
}

sub scheme {
	my ($text, $name) = @_;
	$name = 's' unless defined $name;
	return "webhook_scheme $name {\n$text\n}";
}

###############################################################################
# refused: [ name, message, text, in => (http), other options ]

my @refused = (

# combinations, for the webhook_verify concerned

[ 'unknown scheme', qr/unknown webhook scheme "nosuch"/,
	location("webhook_verify nosuch; $here\n$secret\n$dedup") ],
[ 'empty scheme name', qr/unknown webhook scheme ""/,
	location("webhook_verify ''; $here\n$secret\n$dedup") ],
[ 'scheme name is case sensitive', qr/unknown webhook scheme "NextPay"/,
	location("webhook_verify NextPay; $here\n$secret\n$dedup") ],
[ 'no secret', qr/"webhook_verify nextpay" has no "webhook_secret"/,
	location("$verify $here\n$dedup") ],
[ 'no secret, verify inherited', qr/has no "webhook_secret"/,
	"$zone$dedup\nserver {\n$verify $here\nlocation /a {\n$secret\n}\n"
	. "location /b {\n}\n}" ],
[ 'no secret in limit_except', qr/has no "webhook_secret"/,
	location("limit_except GET {\n$verify $here\n}\n$dedup") ],
[ 'no secret in a nested location', qr/has no "webhook_secret"/,
	location("location /a {\n$verify $here\n$dedup\n}") ],
[ 'whsec_ alone', qr/secret 1 of "webhook_verify yoco" .*cannot be decoded/,
	location("webhook_verify yoco; $here\nwebhook_secret file:prefix;") ],
[ 'whsec_ alone, raw scheme', qr/secret 1 of "webhook_verify stripe" /,
	location("webhook_verify stripe; $here\nwebhook_secret file:prefix;") ],
[ 'whsec_ alone, literal', qr/secret 1 of "webhook_verify nextpay" /,
	location("$verify $here\n$dedup\nwebhook_secret whsec_;") ],
[ 'secret is not base64', qr/secret 1 of "webhook_verify yoco" .*decoded/,
	location("webhook_verify yoco; $here\nwebhook_secret file:not64;") ],
[ 'secret is not padded', qr/secret 1 of "webhook_verify yoco" .*decoded/,
	location("webhook_verify yoco; $here\nwebhook_secret file:unpadded;") ],
[ 'second secret is not base64',
	qr/secret 2 of "webhook_verify yoco" .*cannot be decoded/,
	location("webhook_verify yoco; $here\nwebhook_secret file:second64;") ],
[ 'secret is not hex', qr/secret 1 of "webhook_verify s" .*decoded/,
	scheme("$sig secret encoding=hex;") . "\n"
	. location("webhook_verify s; $here\n$secret\n$dedup") ],
[ 'secret is a prefix and nothing', qr/secret 1 of "webhook_verify s" /,
	scheme("$sig secret prefix=$long;") . "\n"
	. location("webhook_verify s; $here\n$secret\n$dedup") ],
[ 'secret fits only the scheme above', qr/secret 1 of "webhook_verify yoco"/,
	$zone . "server {\n$verify\n$secret\n$dedup\n"
	. "location / {\nwebhook_verify yoco; $here\n}\n}" ],

[ 'dedup without a key', qr/"webhook_dedup" cannot be used with .*no "event/,
	scheme($sig) . "\n"
	. location("webhook_verify s; $here\n$secret\n$dedup") ],
[ 'dedup_key off', qr/"webhook_dedup" cannot be used with "webhook_verify s"/,
	scheme("dedup_key off;", 's from=nextpay') . "\n"
	. location("webhook_verify s; $here\n$secret\n$dedup") ],
[ 'event_id off', qr/"webhook_dedup" cannot be used with "webhook_verify s"/,
	scheme("event_id off;", 's from=nextpay') . "\n"
	. location("webhook_verify s; $here\n$secret\n$dedup") ],
[ 'dedup inherited, no key', qr/"webhook_dedup" cannot be used with /,
	scheme($sig) . "\n$zone" . "$dedup\nserver {\n$secret\n"
	. "location / {\nlocation /a {\nwebhook_verify s; $here\n}\n}\n}" ],
[ 'event_id is not covered', qr/dedup key .*not covered/,
	scheme("$sig event_id \$http_x_id;") . "\n"
	. location("webhook_verify s; $here\n$secret\n$dedup") ],
[ 'second event_id line is not covered', qr/dedup key .*not covered/,
	scheme("$sig event_id json:/id; event_id \$http_x_id;") . "\n"
	. location("webhook_verify s; $here\n$secret\n$dedup") ],
[ 'a variable is not covered', qr/dedup key .*not covered/,
	scheme("$sig event_id \$remote_addr;") . "\n"
	. location("webhook_verify s; $here\n$secret\n$dedup") ],
[ 'event_id is a word', qr/dedup key of "webhook_verify s" is the same for all/,
	scheme("algorithm token; $sig event_id id;") . "\n"
	. location("webhook_verify s; $here\n$secret\n$dedup") ],
[ 'second event_id line is words', qr/dedup key .* is the same for all events/,
	scheme("algorithm token; $sig event_id json:/id; event_id a b;") . "\n"
	. location("webhook_verify s; $here\n$secret\n$dedup") ],
[ 'dedup_key is a word', qr/dedup key .* is the same for all events/,
	scheme("algorithm token; $sig event_id json:/id; dedup_key id;") . "\n"
	. location("webhook_verify s; $here\n$secret\n$dedup") ],
[ 'secret from a variable, dedup without key=', qr/"webhook_dedup" needs "key="/,
	"map \$uri \$tenant {\n}\n"
	. location("$verify $here\nwebhook_secret \$tenant;\n$dedup") ],
[ 'one of two secrets from a variable, dedup without key=', qr/needs "key="/,
	"map \$uri \$tenant {\n}\n"
	. location("$verify $here\n$secret\nwebhook_secret a-\$tenant;\n$dedup") ],
[ 'secret from a variable above, dedup without key=', qr/needs "key="/,
	"map \$uri \$tenant {\n}\n$zone" . "webhook_secret \$tenant;\n"
	. "server {\n$verify $here\nlocation / {\n$dedup\n}\n}" ],
[ 'two places of one name, different secrets', qr/different secrets/,
	$zone . "server {\nlocation = / {\n$verify\n$secret\n$dedup\n}\n"
	. "location / {\n$verify $here\nwebhook_secret file:secret2;\n$dedup\n}\n"
	. '}' ],
[ 'two servers of one name, different secrets', qr/different secrets/,
	$zone . join "\n", map { "server {\nlisten 127.0.0.1:808$_->[0];\n"
		. "server_name a;\nlocation /x {\n$verify $_->[1]\n"
		. "webhook_secret file:$_->[2];\n$dedup\n}\n}" }
		[ 1, '', 'secret' ], [ 2, $here, 'secret2' ] ],
[ 'location and its limit_except, different secrets', qr/different secrets/,
	location("$verify\n$secret\n$dedup\nlimit_except PUT {\n"
		. "$verify $here\nwebhook_secret file:secret2;\n}") ],

# secrets, for the line of webhook_secret

[ 'empty secret', qr/empty secret/, location("$verify\nwebhook_secret ''; $here") ],
[ 'second secret is empty', qr/empty secret/,
	location("$verify\nwebhook_secret file:secret ''; $here") ],
[ 'secret file is missing', qr/open\(\) ".*\/nosuch" failed \(2: /,
	location("$verify\nwebhook_secret file:nosuch; $here") ],
[ 'secret file is a folder', qr/folder"/,
	location("$verify\nwebhook_secret file:folder; $here") ],
[ 'secret file is a device', qr/null"/,
	location("$verify\nwebhook_secret file:/dev/null; $here") ],
[ 'secret file is empty', qr/"\S*\/empty" holds no secret/,
	location("$verify\nwebhook_secret file:empty; $here") ],
[ 'secret file of comments', qr/"\S*\/comments" holds no secret/,
	location("$verify\nwebhook_secret file:comments; $here") ],
[ 'secret file is too large', qr/"\S*\/big" is larger than 64k/,
	location("$verify\nwebhook_secret file:big; $here") ],
[ 'file: alone', qr/"file:"/, location("$verify\nwebhook_secret file:; $here") ],
[ 'file: with a variable', qr/variables cannot be used .*"file:\$uri"/,
	location("$verify\nwebhook_secret file:\$uri; $here") ],
[ 'env: unset', qr/"WEBHOOK_NOSUCH".* is not set/,
	location("$verify\nwebhook_secret env:WEBHOOK_NOSUCH; $here") ],
[ 'env: empty', qr/"WEBHOOK_EMPTY".* is empty/,
	location("$verify\nwebhook_secret env:WEBHOOK_EMPTY; $here"),
	env => { WEBHOOK_EMPTY => '' } ],
[ 'env: alone', qr/"env:"/, location("$verify\nwebhook_secret env:; $here") ],
[ 'env: with a variable', qr/variables cannot be used .*"env:\$\{uri}"/,
	location("$verify\nwebhook_secret env:\${uri}; $here") ],
[ 'nine secrets in a file', qr/more than 8 secrets/,
	location("$verify\nwebhook_secret file:nine; $here") ],
[ 'nine secrets in one line', qr/more than 8 secrets/,
	location("$verify\nwebhook_secret file:three file:three file:three; $here") ],
[ 'nine secrets in two lines', qr/more than 8 secrets/,
	location("$verify\nwebhook_secret file:secret;\n"
		. "webhook_secret file:eight; $here") ],
(map { [ "secret of the client, $_", qr/"\Q$_\E" is chosen by the client/,
	location("$verify\nwebhook_secret $_; $here") ] }
	'$http_x_secret', '${http_x_secret}', '$arg_secret', '$cookie_secret',
	'$HTTP_X_Secret', '$Arg_secret', '$http_x$http_y', 'x$arg_a',
	'$arg_a-$cookie_b-$http_c', map { "\$$_" } qw/ args query_string
	request_uri uri document_uri host http_host remote_user request
	request_method remote_addr content_type scheme ssl_server_name
	proxy_protocol_addr /),
[ 'secret from the body', qr/"\$request_body" cannot be used here/,
	location("$verify\nwebhook_secret \$request_body; $here") ],
[ 'secret from an unknown variable', qr/variable that is unknown: .* "file:/,
	location("$verify\nwebhook_secret \$nosuch; $here\n"
		. 'webhook_dedup zone=z key=$uri;') ],
[ 'secret without a variable name', qr/./,
	location("$verify\nwebhook_secret 'a\$'; $here") ],
[ 'webhook_secret without arguments', qr/invalid number of arguments/,
	location("$verify\nwebhook_secret; $here") ],

# zones

[ 'unknown zone', qr/unknown zone "nosuch" in "webhook_dedup"/,
	location("$verify\n$secret\nwebhook_dedup zone=nosuch; $here") ],
[ 'zone of less than eight pages', qr/zone "zone=z:28k" is too small/,
	"webhook_dedup_zone zone=z:28k; $here" ],
[ 'zone without a size', qr/invalid zone size "zone=z"/,
	"webhook_dedup_zone zone=z; $here" ],
[ 'zone with an empty size', qr/zone (?:size )?"zone=z:"/,
	"webhook_dedup_zone zone=z:; $here" ],
[ 'zone with an invalid size', qr/invalid zone size "zone=z:1x"/,
	"webhook_dedup_zone zone=z:1x; $here" ],
[ 'zone with a negative size', qr/invalid zone size "zone=z:-1m"/,
	"webhook_dedup_zone zone=z:-1m; $here" ],
[ 'zone without a name', qr/zone/, "webhook_dedup_zone zone=:1m; $here" ],
[ 'zone, unknown parameter', qr/invalid parameter "size=1m"/,
	"webhook_dedup_zone size=1m; $here" ],
[ 'zone without arguments', qr/invalid number of arguments/,
	"webhook_dedup_zone; $here" ],
[ 'duplicate zone', qr/duplicate zone "z"/,
	$zone . "webhook_dedup_zone zone=z:1m; $here" ],
[ 'duplicate zone of another size', qr/zone "z"/,
	$zone . "webhook_dedup_zone zone=z:2m; $here" ],
(map { [ "state file of two zones, $_->[0]",
	qr/state file "\S*" is used by webhook dedup zone "z" already/,
	"webhook_dedup_zone zone=z:1m state=$_->[1];\n"
	. "webhook_dedup_zone zone=y:1m state=$_->[2]; $here" ] } (
	[ 'one path', 'folder/a', 'folder/a' ],
	[ 'full path', 'folder/a', $t->testdir() . '/folder/a' ],
	[ 'slashes', 'folder/a', 'folder///a' ],
	[ 'dots', 'folder2/../folder/./a', 'folder/a' ],
	[ 'linked folder', 'link/a', 'folder/a' ],
	[ 'missing folder', 'nofolder/a', 'nofolder/a' ])),
[ "zone of another module's", qr/zone "z" is already/,
	"limit_req_zone \$uri zone=z:1m rate=1r/s;\n"
	. "webhook_dedup_zone zone=z:1m; $here" ],
[ "dedup in another module's zone", qr/zone "z" is already/,
	location("$verify\n$secret\n$dedup $here",
		"limit_req_zone \$uri zone=z:1m rate=1r/s;\n") ],

# parameters

[ 'dedup without zone=', qr/must have "zone" parameter/,
	location("$verify\n$secret\nwebhook_dedup key=a; $here") ],
[ 'dedup without arguments', qr/invalid number of arguments/,
	location("$verify\n$secret\nwebhook_dedup; $here") ],
(map { [ "dedup, $_", qr/invalid time "\Q$_\E"/,
	location("$verify\n$secret\nwebhook_dedup zone=z $_; $here") ] }
	'ttl=1x', 'ttl=', 'ttl=0', 'ttl=-1s', 'lease=1x', 'lease=', 'lease=0'),
(map { [ "dedup, $_", qr/invalid parameter "\Q$_\E"/,
	location("$verify\n$secret\nwebhook_dedup zone=z $_; $here") ] }
	'off', 'on', 'keys=a', 'key='),
[ 'dedup, unknown variable', qr/unknown "nosuch" variable/,
	location("$verify\n$secret\nwebhook_dedup zone=z key=\$nosuch;"),
	line => 0 ],
(map { [ "tolerance $_", qr/invalid (?:time|parameter)/,
	location("$verify\nwebhook_tolerance $_; $here") ] }
	'1x', '-1', "''", 'on', 'off 1m', '1m off', '1m 1x', '99999999999999999999d'),
[ 'tolerance without arguments', qr/invalid number of arguments/,
	location("$verify\nwebhook_tolerance; $here") ],
[ 'tolerance with three arguments', qr/invalid number of arguments/,
	location("$verify\nwebhook_tolerance 1m 1m 1m; $here") ],
(map { [ "reject status $_", qr/(?:status|value) must be|invalid number/,
	location("$verify\nwebhook_reject_status $_; $here") ] }
	200, 301, 399, 410, 600, 0, 'x', '-1', 4000),
(map { my $d = $_; map { [ "$d $_", qr/(?:status|value) must be|invalid number/,
	location("$verify\n$d $_; $here") ] } 100, 199, 300, 401, 'x' }
	'webhook_duplicate_status', 'webhook_ignored_status'),
(map { [ "in-flight status $_", qr/(?:status|value) must be|invalid number/,
	location("$verify\nwebhook_in_flight_status $_; $here") ] }
	200, 399, 410, 600, 'x'),
[ 'in-flight wait', qr/invalid value/,
	location("$verify\nwebhook_in_flight_wait 1x; $here") ],
(map { [ "webhook_json $_", qr/./, "webhook_json $_; $here" ] }
	'a /a', '$a a', '$a /~2', '$ /a', '$a', '$a /a /b', '$uri /a',
	'$webhook_status /a'),
(map { [ "dedup, $_", qr/invalid parameter "\Q$_\E"/,
	location("$verify\n$secret\nwebhook_dedup zone=z $_; $here") ] }
	'on_full=', 'on_full=drop',
	'on_missing=evict', 'on_missing=', 'on_mismatch=evict',
	'on_mismatch=PASS'),
[ 'log level', qr/invalid value "crit"/,
	location("$verify\nwebhook_log_level crit; $here") ],
[ 'dry run', qr/invalid value "yes"/,
	location("$verify\nwebhook_dry_run yes; $here") ],
[ 'JSON size', qr/invalid value/,
	location("$verify\nwebhook_json_max_size 1x; $here") ],
[ 'verify without arguments', qr/invalid number of arguments/,
	location("webhook_verify; $here") ],
[ 'verify with two schemes', qr/invalid number of arguments/,
	location("webhook_verify nextpay yoco; $here") ],

# duplicates

(map { [ "duplicate $_", qr/"\S+" directive is duplicate/,
	location("$secret\n$_;\n$_; $here") ] }
	'webhook_verify nextpay', 'webhook_tolerance 1m', 'webhook_dry_run on',
	'webhook_reject_status 403', 'webhook_log_level info',
	'webhook_dedup zone=z', 'webhook_dedup off', 'webhook_json_max_size 1m',
	'webhook_tolerance off', 'webhook_verify off',
	'webhook_duplicate_status 200', 'webhook_in_flight_status 503',
	'webhook_in_flight_wait 1s', 'webhook_ignored_status 200'),

# contexts

(map { my ($d) = @$_; map { [ "$d in $_", qr/"\S+" directive is not allowed/,
	$_ eq 'main' ? "%%TEST_GLOBALS%%\n$d $here\nevents {\n}"
	: $_ eq 'http' ? "$d $here"
	: $_ eq 'server' ? "server {\n$d $here\n}"
	: $_ eq 'upstream' ? "upstream u {\nserver 127.0.0.1:8081;\n$d $here\n}"
	: $_ eq 'location' ? location("$d $here")
	: $_ eq 'limit_except' ? location("limit_except GET {\n$d $here\n}")
	: $_ eq 'if' ? location("if (\$uri) {\n$d $here\n}")
	: die, in => $_ eq 'main' ? 'main' : 'http' ] } @$_[1 .. $#$_] } (
	[ $verify, qw/ main upstream if / ],
	[ $secret, qw/ main upstream if / ],
	[ 'webhook_tolerance 1m;', qw/ main upstream if / ],
	[ 'webhook_dry_run on;', qw/ main upstream if / ],
	[ 'webhook_reject_status 403;', qw/ main upstream if / ],
	[ 'webhook_log_level info;', qw/ main upstream if limit_except / ],
	[ 'webhook_json_max_size 1m;', qw/ main upstream if limit_except / ],
	[ $dedup, qw/ main upstream if / ],
	(map { [ $_, qw/ main upstream if limit_except / ] }
		'webhook_duplicate_status 200;', 'webhook_in_flight_status 503;',
		'webhook_in_flight_wait 1s;', 'webhook_events a;',
		'webhook_ignore a;', 'webhook_ignored_status 200;'),
	[ 'webhook_json $a /a;', qw/ main server location / ],
	[ 'webhook_dedup_zone zone=y:1m;', qw/ main server location / ],
	[ 'webhook_scheme s {}', qw/ main server location / ])),

# the block of a scheme

[ 'scheme without a name', qr/invalid number of arguments/,
	"webhook_scheme { $here\n$sig\n}" ],
[ 'scheme without a block', qr/has no opening "\{"/,
	"webhook_scheme s; $here" ],
[ 'scheme that does not end', qr/unexpected end of file/,
	"webhook_scheme s {\n$sig", line => 0 ],
[ 'scheme with an empty name', qr/invalid scheme name ""/,
	"webhook_scheme '' { $here\n$sig\n}" ],
[ 'scheme off', qr/invalid scheme name "off"/,
	"webhook_scheme off { $here\n$sig\n}" ],
[ 'duplicate scheme', qr/"webhook_scheme" directive is duplicate/,
	scheme($sig) . "\nwebhook_scheme s { $here\n$sig\n}" ],
[ 'scheme, unknown parameter', qr/invalid parameter "to=yoco"/,
	"webhook_scheme s to=yoco { $here\n}" ],
[ 'from= unknown', qr/unknown scheme "nosuch"/,
	"webhook_scheme s from=nosuch { $here\n}" ],
[ 'from= nothing', qr/unknown scheme ""/, "webhook_scheme s from= { $here\n}" ],
[ 'from= later', qr/unknown scheme "later"/,
	"webhook_scheme s from=later { $here\n}\n" . scheme($sig, 'later') ],
[ 'from= itself', qr/unknown scheme "s"/, "webhook_scheme s from=s { $here\n}" ],
[ 'from= off', qr/unknown scheme "off"/,
	"webhook_scheme s from=off { $here\n}" ],

(map { my ($name, $line, $message) = @$_;
	[ "scheme, $name", $message || qr/invalid number of arguments/,
		scheme("$sig\n$line $here") ] } (
	[ 'unknown directive', 'verify yes;', qr/unknown directive "verify"/ ],
	[ 'directive of nginx', 'listen 80;', qr/unknown directive "listen"/ ],
	[ 'block', 'secret { }', qr/./ ],
	[ 'webhook directive', "$secret", qr/unknown directive "webhook_secret"/ ],
	map { [ "\"$_\"", $_ ] } 'algorithm;', 'algorithm hmac-sha1 hmac-sha256;',
		'signed;', 'signed $request_body a;', 'timestamp;', 'tolerance;',
		'tolerance 1m 1m 1m;', 'event_id;', 'event_type;', 'dedup_key;',
		'retries;', 'retries 1h 1h;', 'secret encoding=hex prefix=a keep x y;')),

(map { my ($line, $message, $rest) = @$_;
	[ "scheme, $line", $message,
		scheme(($rest || $sig) . "\n$line $here") ] } (
	[ 'algorithm md5;', qr/unknown algorithm "md5"/ ],
	[ 'algorithm sha256;', qr/unknown algorithm "sha256"/ ],
	[ 'algorithm HMAC-SHA256;', qr/unknown algorithm "HMAC-SHA256"/ ],
	[ "algorithm '';", qr/unknown algorithm ""/ ],
	[ 'signed $request_body; signed $request_body;',
		qr/"signed" directive is duplicate/ ],
	[ 'algorithm hmac-sha1; algorithm hmac-sha1;', qr/is duplicate/ ],
	[ 'tolerance 1m; tolerance 1m;', qr/is duplicate/ ],
	[ 'retries 1m; retries 1m;', qr/is duplicate/ ],
	[ $sig, qr/"signature" directive is duplicate/ ],
	[ 'timestamp off; timestamp off;', qr/is duplicate/ ],
	[ "signed '';", qr/empty/ ],
	[ 'signed ${request_body;', qr/bracket/ ],
	[ 'signed $;', qr/variable name/ ],
	[ 'signed $http_;', qr/variable name/ ],
	[ 'signed $webhook_status$request_body;', qr/webhook_status/ ],
	[ 'signed $webhook_event_type$request_body;', qr/webhook_event_type/ ],
	(map { [ $_, qr/invalid parameter/, 'algorithm hmac-sha256;' ] }
		'signature $http_x separator=;', 'signature $http_x item=0;',
		'signature $http_x item=65;', 'signature $http_x item=65-;',
		'signature $http_x item=;', 'signature $http_x item=x;',
		'signature $http_x item=-1;', 'signature $http_x item=-;',
		'signature $http_x item=2-3;', 'signature $http_x group=;',
		'signature $http_x encoding=raw;', 'signature $http_x encoding=;'),
	[ 'signature separator=,;', qr/no source/, 'algorithm hmac-sha256;' ],
	[ "signature '';", qr/empty/, 'algorithm hmac-sha256;' ],
	[ 'signature $request_body;', qr/request_body/, 'algorithm hmac-sha256;' ],
	[ 'signature $webhook_event_id;', qr/webhook_event_id/,
		'algorithm hmac-sha256;' ],
	(map { [ $_, qr/invalid parameter/ ] }
		'timestamp $http_t separator=;', 'timestamp $http_t item=0;',
		'timestamp $http_t item=65;',
		'timestamp $http_t separator=, item=1-;', 'timestamp $http_t unit=h;',
		'timestamp $http_t unit=;', 'timestamp $http_t group=;'),
	[ 'timestamp off $http_t;', qr/off/ ],
	[ 'timestamp unit=s;', qr/no source/ ],
	[ 'timestamp $request_body;', qr/request_body/ ],
	[ 'timestamp json:/ts separator=,;', qr/JSON/ ],
	[ 'timestamp json:/ts prefix=a;', qr/JSON/ ],
	[ 'timestamp json:/ts "group= ";', qr/JSON/ ],
	[ 'timestamp json:/ts item=1;', qr/JSON/ ],
	[ 'timestamp json:/ts json:/t;', qr/JSON/ ],
	[ 'timestamp json:/ts $http_t;', qr/JSON/ ],
	(map { my $d = $_; map { [ "$d json:$_;", qr/invalid JSON Pointer "\Q$_\E"/ ] }
		'id', 'a/b', '/a~', '/a~2', '/~/b' }
		'event_id', 'event_type', 'dedup_key', 'timestamp'),
	[ 'tolerance off;', qr/invalid time "off"/ ],
	[ 'tolerance 1x;', qr/invalid time "1x"/ ],
	[ 'tolerance 1m -1;', qr/invalid time "-1"/ ],
	[ 'retries 1x;', qr/invalid time "1x"/ ],
	[ 'retries -1s;', qr/invalid time "-1s"/ ],
	[ 'retries off;', qr/invalid time "off"/ ],
	[ 'secret encoding=base32;', qr/invalid parameter "encoding=base32"/ ],
	[ 'secret $http_x;', qr/invalid parameter/ ],
	[ 'secret raw;', qr/invalid parameter "raw"/ ],
	[ 'event_id off json:/id;', qr/off/ ],
	[ 'event_id json:/id; event_id off;', qr/off/ ],
	[ 'event_id off; event_id json:/id;', qr/off/ ],
	[ 'event_id $request_body;', qr/request_body/ ],
	[ 'event_id $webhook_event_id;', qr/webhook_event_id/ ],
	[ 'event_type $webhook_status;', qr/webhook_status/ ],
	[ "event_id json:/id '';", qr/empty/ ])),

# what is wrong with a scheme as a whole is told where it ends

(map { my ($name, $text, $message, $head) = @$_;
	[ "scheme, $name", qr/scheme "s" .*$message/,
		'webhook_scheme ' . ($head || 's') . " {\n$text\n} $here" ] } (
	[ 'empty', '', 'no "signature"' ],
	[ 'no signature', 'algorithm hmac-sha256;', 'no "signature"' ],
	[ 'no $request_body', "$sig signed \$http_a;", 'one \$request_body' ],
	[ 'two $request_body', "$sig signed \$request_body\${request_body};",
		'one \$request_body' ],
	[ '$webhook_timestamp without timestamp',
		"$sig signed \$webhook_timestamp.\$request_body;",
		'\$webhook_timestamp' ],
	[ '$webhook_timestamp from JSON',
		"$sig timestamp json:/t; signed \$webhook_timestamp\$request_body;",
		'\$webhook_timestamp' ],
	[ 'timestamp that is not signed', "$sig timestamp \$http_t;",
		'timestamp that "signed" does not hold' ],
	[ 'another timestamp is signed',
		"$sig timestamp \$http_t; signed \$http_u.\$request_body;",
		'timestamp that "signed" does not hold' ],
	[ 'second timestamp source is not signed',
		"$sig timestamp \$http_t \$http_u; signed \$http_t.\$request_body;",
		'timestamp that "signed" does not hold' ],
	[ 'timestamp that is cut, whole header signed',
		"$sig timestamp \$http_t prefix=t=; signed \$http_t.\$request_body;",
		'timestamp that "signed" does not hold' ],
	[ '$webhook_event_id without event_id',
		"$sig signed \$webhook_event_id.\$request_body;",
		'\$webhook_event_id' ],
	[ '$webhook_event_id without event_id, beside a timestamp',
		"$sig signed \$webhook_event_id.\$request_body;"
			. ' timestamp $http_t;', '\$webhook_event_id, but' ],
	[ '$webhook_event_id without event_id, beside a hash',
		"$sig signed \$webhook_event_id.\$http_d; body_hash \$http_d;",
		'\$webhook_event_id, but' ],
	[ '$webhook_event_id from JSON',
		"$sig event_id json:/id; signed \$webhook_event_id.\$request_body;",
		'\$webhook_event_id' ],
	[ '$webhook_event_id from JSON in the second line',
		"$sig event_id \$http_i; event_id json:/id;"
			. 'signed $webhook_event_id.$request_body;',
		'\$webhook_event_id' ],
	[ 'dedup_key not covered', "$sig dedup_key \$http_i;",
		'"dedup_key" that the signature does not cover' ],
	[ 'dedup_key, a literal', "$sig dedup_key a;",
		'"dedup_key" that the signature does not cover' ],
	[ 'dedup_key, second line not covered',
		"$sig dedup_key body; dedup_key \$http_i;",
		'"dedup_key" that the signature does not cover' ],
	[ 'dedup_key, a header of one line of the event id',
		"$sig event_id \$http_i; event_id \$http_j; dedup_key \$http_i;"
			. 'signed $webhook_event_id.$request_body;',
		'"dedup_key" that the signature does not cover' ],
	[ 'timestamp in one line of the event id', "$sig timestamp \$http_t;"
			. 'event_id $http_i; event_id $http_t;'
			. 'signed $webhook_event_id.$request_body;',
		'timestamp that "signed" does not hold' ],
	[ 'dedup_key, an event id that is not signed',
		"$sig event_id \$http_i; dedup_key \$webhook_event_id body;",
		'\$webhook_event_id in its "dedup_key"' ],
	(map { my ($unit, $signed, $one, $other) = @$_;
		[ "signed, $signed", "$sig timestamp \$http_t unit=$unit;"
			. "event_id \$http_i; signed '$signed';",
			"signs \"\\\$$one\" directly before \"\\\$$other\"" ] } (
		[ 's', '$http_t.$http_a$http_b$request_body', 'http_a', 'http_b' ],
		[ 's', '$http_t.$http_a$arg_b.$request_body', 'http_a', 'arg_b' ],
		[ 's', '$http_a$http_t$request_body', 'http_a', 'http_t' ],
		[ 'ms', '$request_uri$http_t$request_body', 'request_uri',
			'http_t' ],
		[ 'rfc3339', '$request_uri$http_t$request_body', 'request_uri',
			'http_t' ],
		[ 's', '$http_t.$request_body$http_a', 'request_body', 'http_a' ],
		[ 's', '$http_t.$request_body$arg_a.', 'request_body', 'arg_a' ],
		[ 's', '$http_t.$http_a$request_body$http_b', 'request_body',
			'http_b' ],
		[ 's', '$http_t.$http_a$request_body$http_a.', 'request_body',
			'http_a' ],
		[ 's', '$http_t.$http_a.$request_body$http_a', 'request_body',
			'http_a' ],
		[ 's', '$http_t.$request_uri$request_body$request_uri',
			'request_body', 'request_uri' ],
		[ 's', '$request_body$http_t$http_a', 'http_t', 'http_a' ],
		[ 's', '$webhook_event_id$webhook_timestamp$request_body',
			'webhook_event_id', 'webhook_timestamp' ],
		[ 's', '$http_t$request_method$request_uri$request_body',
			'request_method', 'request_uri' ],
		[ 's', '$http_t$http_host$args.$request_body', 'http_host',
			'args' ],
		[ 's', '$http_t$uri$args$request_body', 'uri', 'args' ],
		[ 'http', '$request_uri$http_t$request_body', 'request_uri',
			'http_t' ],
		[ 'iso8601', '$http_t$request_body', 'http_t', 'request_body' ],
		[ 'iso8601', '$http_i.$request_body$http_t', 'request_body',
			'http_t' ],
		[ 's|ms', '$http_t$request_body', 'http_t', 'request_body' ],
		[ 's|ms', '$http_i.$request_body$http_t', 'request_body',
			'http_t' ],
		[ 's|ms', '$http_i$http_t.$request_body', 'http_i',
			'http_t' ])),
	[ 'event id of two parts is signed',
		"$sig event_id \$http_a \$http_b;"
			. 'signed $webhook_event_id.$request_body;', 'several parts' ],
	[ 'event id of two headers is signed, second line',
		"$sig event_id \$http_a; event_id \$http_b-\$http_c;"
			. 'signed $webhook_event_id.$request_body;', 'several parts' ],
	[ 'groups of signatures alone',
		'signature $http_s separator=, "group= " prefix=v1=;'
			. 'timestamp $http_s separator=, prefix=t=;'
			. 'signed $webhook_timestamp.$request_body;', 'groups' ],
	[ 'groups of timestamps alone', "$sig"
		. 'timestamp $http_s separator=, "group= " prefix=t=;'
		. 'signed $webhook_timestamp.$request_body;', 'groups' ],
	[ 'from= stripe without its timestamp', 'timestamp off;',
		'\$webhook_timestamp', 's from=stripe' ],
	[ 'from= slack, body alone signed', 'signed $request_body;',
		'timestamp that "signed" does not hold', 's from=slack' ],
	[ 'from= standard-webhooks, dedup by a header', 'dedup_key $http_x_id;',
		'"dedup_key" that', 's from=standard-webhooks' ])),
);

###############################################################################
# warned about: likewise

my @warned = (

[ 'short secret', qr/secret 1 of "webhook_verify nextpay" is shorter than 16/,
	location("$verify $here\nwebhook_secret file:short;\n$dedup") ],
[ 'second secret is short', qr/secret 2 of .* is shorter than 16/,
	location("$verify $here\nwebhook_secret file:shorts;\n$dedup") ],
[ 'secret of less than 16 bytes when decoded', qr/is shorter than 16 bytes/,
	scheme("$sig event_id json:/id; secret encoding=hex;") . "\n"
	. location("webhook_verify s; $here\n"
		. "webhook_secret env:WEBHOOK_HEX;\n$dedup"),
	env => { WEBHOOK_HEX => '00' x 15 } ],
[ 'blank before a secret', qr/blanks around/,
	location("$verify\nwebhook_secret file:before; $here\n$dedup") ],
[ 'blank behind a secret', qr/blanks around/,
	location("$verify\nwebhook_secret file:after; $here\n$dedup") ],
[ 'blank behind a secret in the environment', qr/blanks around/,
	location("$verify\nwebhook_secret env:WEBHOOK_S; $here\n$dedup"),
	env => { WEBHOOK_S => "$long " } ],
[ 'byte order mark', qr/byte order mark/,
	location("$verify\nwebhook_secret file:bom; $here\n$dedup") ],
[ 'lines that end with CR', qr/"\S*\/crs" has a carriage return within a line/,
	location("$verify\nwebhook_secret file:crs; $here\n$dedup") ],
[ 'one key= for two secrets', qr/different secrets share "key=k" in the zone "z"/,
	$zone . "server {\nwebhook_dedup zone=z key=k;\n$verify\n"
	. "location /a {\n$secret\n}\nlocation /b {\n$secret\n}\n"
	. "location /c {\nwebhook_verify nextpay; $here\n"
	. "webhook_secret file:secret2;\n}\n}" ],
[ 'one key= for secrets from a variable', qr/different secrets share "key=k"/,
	"map \$uri \$tenant {\n}\n" . location("webhook_verify nextpay; $here\n"
		. "webhook_secret \$tenant;\nwebhook_dedup zone=z key=k;") ],
[ 'literal secret', qr/a secret that stands in the configuration/,
	location("$verify\nwebhook_secret $long; $here\n$dedup") ],
[ 'file that everybody can read', qr/"\S*\/public" can be read by everybody/,
	location("$verify\nwebhook_secret file:public; $here\n$dedup") ],
[ 'sha1 in a defined scheme', qr/scheme "s" uses SHA-1/,
	"webhook_scheme s {\n$sig\nalgorithm hmac-sha1;\n} $here" ],
[ 'neither timestamp nor dedup', qr/no protection against replays/,
	location("$verify $here\n$secret") ],
[ 'tolerance off without dedup', qr/no protection against replays/,
	location("webhook_verify slack; $here\n$secret\nwebhook_tolerance off;") ],
[ 'secret without verify', qr/"webhook_secret" without "webhook_verify"/,
	location("$secret $here") ],
[ 'dedup without verify', qr/"webhook_dedup" without "webhook_verify"/,
	location("$dedup $here") ],
[ 'secret without its prefix', qr/secret 2 .* does not begin with "whsec_"/,
	location("webhook_verify yoco; $here\n"
	. 'webhook_secret file:whsec file:plain64;') ],
[ 'dedup off', qr/no protection against replays/,
	$zone . "server {\n$dedup\nlocation / {\n$verify $here\n$secret\n"
	. "webhook_dedup off;\n}\n}" ],
(map { my ($name, $path, $message) = @$_;
	[ "state file, $name", qr!state\ file\ "\S*"\ of\ webhook\ dedup\ zone
		\ "z"\ cannot\ be\ kept:\ \Q$message\E!x,
		"webhook_dedup_zone zone=z:1m state=$path; $here" ] } (
	[ 'no folder', 'nofolder/x',
		'its folder cannot be written (2: No such file or directory)' ],
	[ 'folder is a file', 'secret/x',
		'its folder cannot be written (20: Not a directory)' ],
	[ 'link', 'linked', 'it is not a regular file' ],
	[ 'folder', 'folder', 'it is not a regular file' ],
	$> ? [ 'folder of others', '/usr/x',
		'its folder cannot be written (13: Permission denied)' ] : ())),
[ 'ttl below the window', qr/"ttl" of "webhook_dedup" is raised to 300s/,
	location("webhook_verify slack; $here\n$secret\n"
		. 'webhook_dedup zone=z ttl=1m;') ],
[ 'ttl below a window of the location', qr/is raised to 3600s/,
	location("webhook_verify slack; $here\n$secret\nwebhook_tolerance 1h;\n"
		. 'webhook_dedup zone=z ttl=10m;') ],
);

###############################################################################
# accepted without a word: [ name, text, options ]

my @accepted = (

[ 'loaded and not used', "server {\n}" ],
[ 'dedup', location("$verify\n$secret\n$dedup") ],
[ 'timestamp, no dedup', location("webhook_verify slack;\n$secret") ],
[ 'zone of eight pages', 'webhook_dedup_zone zone=z:32k;' ],
[ 'zone that is not used', $zone ],
[ 'zone that is defined later', location("$verify\n$secret\n$dedup", '')
	. "\n$zone" ],
[ 'state files of two zones', join "\n",
	map { "webhook_dedup_zone zone=$_->[0]:1m state=$_->[1];" }
		[ 'a', 'folder/a' ], [ 'b', 'folder/b' ], [ 'c', 'folder2/a' ] ],
[ 'zone of two locations', $zone . "server {\nlocation /a {\n$verify\n$secret\n"
	. "$dedup\n}\nlocation /b {\n$verify\nwebhook_secret file:secret2;\n"
	. "$dedup\n}\n}" ],
[ 'zone of two servers', $zone . join "\n", map { "server {\n"
	. "listen 127.0.0.1:8080;\nserver_name $_->[0];\nlocation /x {\n$verify\n"
	. "webhook_secret file:$_->[1];\n$dedup\n}\n}" }
	[ 'a', 'secret' ], [ 'b', 'secret2' ] ],
[ 'two places of one name, the same secrets', $zone
	. "server {\nlocation = / {\n$verify\n$secret\n$dedup\n}\n"
	. "location / {\n$verify\n$secret\n$dedup\n}\n}" ],
[ 'two places of one name, different schemes', $zone
	. "server {\nlocation = / {\n$verify\n$secret\n$dedup\n}\n"
	. "location / {\nwebhook_verify slack;\nwebhook_secret file:secret2;\n"
	. "$dedup\n}\n}" ],
[ 'two places of one name, different zones', $zone
	. "webhook_dedup_zone zone=y:1m;\n"
	. "server {\nlocation = / {\n$verify\n$secret\n$dedup\n}\n"
	. "location / {\n$verify\nwebhook_secret file:secret2;\n"
	. "webhook_dedup zone=y;\n}\n}" ],
[ 'two places of one name, told apart', $zone
	. "server {\nlocation = / {\n$verify\n$secret\nwebhook_dedup zone=z key=a;\n}"
	. "\nlocation / {\n$verify\nwebhook_secret file:secret2;\n$dedup\n}\n}" ],
[ 'one key= for one secret', $zone . "server {\n$verify\n"
	. "webhook_dedup zone=z key=k;\nlocation /a {\n$secret\n}\n"
	. "location /b {\n$secret\n}\n}" ],
[ 'keys, zones and schemes that differ', $zone
	. "webhook_dedup_zone zone=y:1m;\nserver {\nlocation /a {\n$verify\n"
	. "$secret\nwebhook_dedup zone=z key=k;\n}\nlocation /b {\n$verify\n"
	. "webhook_secret file:secret2;\nwebhook_dedup zone=z key=l;\n}\n"
	. "location /c {\n$verify\nwebhook_secret file:secret2;\n"
	. "webhook_dedup zone=y key=k;\n}\nlocation k {\n$verify\n"
	. "webhook_secret file:sixteen;\n$dedup\n}\n"
	. "location /d {\nwebhook_verify slack;\n"
	. "webhook_secret file:secret2;\nwebhook_dedup zone=z key=k;\n}\n}" ],
[ 'secret from a variable, dedup with key=', "map \$uri \$tenant {\n}\n"
	. location("$verify\nwebhook_secret \$tenant;\n"
		. 'webhook_dedup zone=z key=$uri;') ],
[ 'secret from a variable, no dedup', "map \$uri \$tenant {\n}\n"
	. location("webhook_verify slack;\nwebhook_secret \$tenant;") ],
[ 'secret of variables and text', "map \$uri \$tenant {\n}\n"
	. location("webhook_verify slack;\n"
	. 'webhook_secret "prefix-$http_x_a-${arg_b}-$tenant";') ],
[ 'tolerance without timestamp', location("$verify\n$secret\n$dedup\n"
	. 'webhook_tolerance 1m;') ],
[ 'tolerance of one, of two, of none', "server {\n$secret\n"
	. join("\n", map { "location /$_ {\nwebhook_verify slack;\n"
		. 'webhook_tolerance ' . (qw/ 1m 0 1h30m /, '1m 0', '0 10s')[$_]
		. ";\n}" } 0 .. 4) . "\n}" ],
[ 'dedup under verify off', location("webhook_verify off;\n$dedup") ],
[ 'dedup off with nothing', location('webhook_dedup off;') ],
[ 'dedup above, scheme without a key under verify off',
	scheme($sig) . "\n$zone$dedup\nserver {\n$secret\n$verify\n"
	. "location / {\nwebhook_verify off;\n}\n}" ],
[ 'scheme without a key, dedup off', scheme($sig . 'timestamp $http_t;'
	. 'signed $http_t.$request_body;') . "\n$zone$dedup\nserver {\n"
	. "location / {\n$secret\nwebhook_verify s;\nwebhook_dedup off;\n}\n}" ],
[ 'tolerance, dry run without verify',
	location("webhook_tolerance 1m;\nwebhook_dry_run on;\n"
	. 'webhook_reject_status 403;') ],
[ 'verify off without secret', location('webhook_verify off;') ],
[ 'verify at server level, secrets in each location',
	"${zone}server {\n$verify\n$dedup\nlocation /a {\n$secret\n}\n"
	. "location /b {\nwebhook_secret file:secret2;\n}\n"
	. "location / {\nwebhook_verify off;\n}\n}" ],
[ 'verify at http level, secrets in each location',
	"$zone$verify\n${dedup}\nserver {\nlocation / {\n$secret\n}\n}" ],
[ 'scheme that is defined later',
	location("webhook_verify s;\n$secret\n$dedup") . "\n"
	. scheme("$sig event_id json:/id;") ],
[ 'scheme that is defined in a later file',
	location("webhook_verify fromfile;\n$secret\n$dedup")
	. "\ninclude inc-scheme.conf;" ],
[ 'scheme that hides a built-in', location("webhook_verify github;\n$secret")
	. "\n" . scheme($sig . 'timestamp $http_t; signed $http_t.$request_body;',
		'github') ],
[ 'scheme that hides the built-in it is from',
	scheme('tolerance 1h;', 'slack from=slack') . "\n"
	. location("webhook_verify slack;\n$secret\nwebhook_dedup zone=z ttl=1h;") ],
[ 'hidden built-in that others are from',
	scheme("$sig event_id body;", 'standard-webhooks') . "\n"
	. location("webhook_verify yoco;\nwebhook_secret file:whsec;") ],
[ 'from= with one line replaced', scheme("retries 1h;", 's from=github') . "\n"
	. location("webhook_verify s;\n$secret\n$dedup") ],
[ 'from= a defined scheme', scheme($sig) . "\n"
	. scheme("event_id json:/id;", 't from=s') . "\n"
	. location("webhook_verify t;\n$secret\n$dedup") ],
[ 'from= with nothing replaced', scheme('', 's from=nextpay') . "\n"
	. location("webhook_verify s;\n$secret\n$dedup") ],
[ 'scheme that is not used', scheme($sig) ],
[ 'names of schemes', join "\n", map { scheme($sig, $_) }
	qw/ on OFF s.1 s-1 default / ],
[ 'every directive of a scheme', scheme(<<'EOF')
algorithm   hmac-sha512;
signature   $http_a $http_b "separator=, ;" prefix=v1= item=2- group=|
            encoding=base64url;
signed      "$request_method $uri:$http_c|${webhook_timestamp}.$request_body";
timestamp   $http_a $http_b "separator=, ;" prefix=t= item=1 group=| unit=rfc3339;
tolerance   1h 10s;
secret      prefix=hex_ encoding=hex;
secret      prefix=b64_ encoding=base64;
secret      prefix=a- keep;
secret      encoding=raw;
secret;
event_id    $http_c json:/a/0/b~0c~1d body x$webhook_timestamp;
event_type  json:/ $http_d "a b";
dedup_key   $webhook_timestamp $webhook_event_id;
dedup_key   $http_d $http_c;
dedup_key   json:/x $http_d;
retries     3d;
EOF
	. "\n" . location("webhook_verify s;\n$secret") ],
(map { my ($unit, $signed) = @$_;
	[ "signed, $signed", scheme("$sig timestamp \$http_t unit=$unit;"
		. "event_id p-\$http_i; signed '$signed';") ] } (
	[ 's', '$http_a.$arg_b:$cookie_c/$http_t$request_body' ],
	[ 's', '$http_t$http_a$request_body' ],
	[ 's', '$http_t$arg_a$request_body' ],
	[ 's', '$request_method-$http_host$request_uri$request_body$http_t' ],
	[ 's', '$http_t:$host$uri:$request_body.$http_a.$args' ],
	[ 's', '$http_t$server_name$document_uri$request_body$hostname' ],
	[ 'ms', '$http_t$webhook_event_id$request_body$webhook_timestamp' ],
	[ 'rfc3339', '$http_a$http_t$request_body' ],
	[ 'rfc3339', '$webhook_event_id$webhook_timestamp$request_body' ],
	[ 'rfc3339', '$request_body$http_t' ],
	[ 'http', '$http_a$http_t$request_body' ],
	[ 'http', '$request_body$http_t' ],
	[ 'iso8601', '$http_a:$http_t:$request_body' ],
	[ 's|ms', '$http_t.$request_body' ],
	[ 's|ms', '$request_body.$http_t' ],
	[ 's|ms', '$http_a.$http_t.$request_body' ])),
[ 'JSON Pointer of the whole document', scheme("$sig event_id json:;") ],
[ 'dedup key covered by the event id',
	scheme("$sig event_id \$http_i; dedup_key \$http_i \$http_j;"
		. 'signed $webhook_event_id.$request_body;') . "\n"
	. location("webhook_verify s;\n$secret\n$dedup") ],
[ 'dedup key is the signed event id', scheme("$sig event_id \$http_i;"
		. 'event_id $http_j; dedup_key $webhook_event_id;'
		. 'signed $webhook_event_id.$request_body;') . "\n"
	. location("webhook_verify s;\n$secret\n$dedup") ],
[ 'dedup key, event id from JSON', scheme("$sig event_id json:/id;"
		. 'dedup_key $webhook_event_id body;') . "\n"
	. location("webhook_verify s;\n$secret\n$dedup") ],
[ 'dedup key covered by the timestamp',
	scheme("$sig timestamp \$http_s separator=, prefix=t=;"
		. 'signed $webhook_timestamp.$request_body;'
		. 'dedup_key $webhook_timestamp;') . "\n"
	. location("webhook_verify s;\n$secret\n$dedup") ],
[ 'event_id not covered, body as key',
	scheme("$sig event_id \$http_i; dedup_key body;") . "\n"
	. location("webhook_verify s;\n$secret\n$dedup") ],
[ 'event_id off and event_type off',
	scheme("event_id off; event_type off;", 's from=slack')
	. "\n" . location("webhook_verify s;\n$secret") ],
[ 'timestamp off, still signed', scheme("timestamp off;", 's from=slack')
	. "\n" . location("webhook_verify s;\n$secret\n$dedup") ],
[ 'sixteen bytes', location("$verify\nwebhook_secret file:sixteen;\n$dedup") ],
[ 'eight secrets', location("$verify\nwebhook_secret file:eight;\n$dedup") ],
[ 'eight secrets, six lines', location("$verify\nwebhook_secret file:three "
	. "file:secret;\n$secret\n$secret\n$secret\nwebhook_secret file:secret;\n"
	. $dedup) ],
[ 'nine secrets on two levels', $zone . "server {\nwebhook_secret file:eight;\n"
	. "location / {\n$verify\n$secret\n$dedup\n}\n}" ],
[ 'secret with a prefix',
	location("webhook_verify yoco;\nwebhook_secret file:whsec;") ],
[ 'absolute path', location("$verify\nwebhook_secret file:%%TESTDIR%%/secret;\n"
	. $dedup) ],
[ 'environment', location("$verify\nwebhook_secret env:WEBHOOK_S;\n$dedup"),
	env => { WEBHOOK_S => $long } ],
[ 'status', join("\n", map { "server {\nlisten 127.0.0.1:$_->[0];\n"
	. "webhook_reject_status $_->[1];\n}" } [ 8080, 400 ], [ 8081, 599 ],
	[ 8082, 403 ]) ],
[ 'log levels', join("\n", map { "server {\nlisten 127.0.0.1:$_->[0];\n"
	. "webhook_log_level $_->[1];\n}" } [ 8080, 'info' ], [ 8081, 'notice' ],
	[ 8082, 'warn' ], [ 8083, 'error' ]) ],
[ 'all in http', "$zone$verify\n$secret\nwebhook_tolerance 1m 0;\n"
	. "webhook_dry_run on;\nwebhook_reject_status 403;\n"
	. "webhook_log_level info;\nwebhook_json_max_size 64k;\n"
	. "webhook_dedup zone=z key=\$uri ttl=1d;\nserver {\nlocation / {\n}\n}" ],
[ 'all in server', "${zone}server {\n$verify\n$secret\nwebhook_tolerance 1m 0;\n"
	. "webhook_dry_run on;\nwebhook_reject_status 403;\n"
	. "webhook_log_level info;\nwebhook_json_max_size 64k;\n"
	. "webhook_dedup zone=z key=\$uri ttl=1d;\nlocation / {\n}\n}" ],
[ 'all in location', location("$verify\n$secret\nwebhook_tolerance 1m 0;\n"
	. "webhook_dry_run on;\nwebhook_reject_status 403;\n"
	. "webhook_log_level info;\nwebhook_json_max_size 64k;\n"
	. "webhook_dedup zone=z key=\$uri ttl=1d;") ],
[ 'filters', "webhook_json \$mode /payload/mode;\n"
	. "webhook_json \$whole '';\nmap \$mode \$is_test {\ntest 1;\n}\n"
	. location("$verify\n$secret\nwebhook_events payment.* a *;\n"
		. "webhook_ignore \$is_test a\$whole;\nwebhook_ignored_status 204;\n"
		. "webhook_duplicate_status 299;\nwebhook_in_flight_status 429;\n"
		. "webhook_in_flight_wait 0;\nwebhook_dedup zone=z lease=10s "
		. 'on_full=reject on_missing=reject on_mismatch=pass;') ],
[ 'limit_except', location("limit_except GET {\n$verify\n$secret\n"
	. "webhook_tolerance 1m 0;\nwebhook_dry_run on;\n"
	. "webhook_reject_status 403;\nwebhook_dedup zone=z key=\$uri ttl=1d;\n}") ],
);

$t->plan(@refused + @warned + @accepted + 30);

# files that are included

$t->write_file('inc-verify.conf', "\n\n$verify\n");
$t->write_file('inc-scheme.conf', scheme("$sig event_id json:/id;", 'fromfile'));
$t->write_file('inc-bad.conf', "\n" . scheme("$sig\n\nnosuch on;", 'bad'));
$t->write_file('inc-outer.conf', "\n\n\n\ninclude inc-inner.conf;\n");
$t->write_file('inc-inner.conf', "\nlocation /inner {\n\n$verify\n}\n");

###############################################################################

foreach (@refused) {
	my ($name, $message, $text, %opts) = @$_;
	is(told($message, $text, %opts, level => 'emerg'), 'refused',
		"refused - $name");
}

foreach (@warned) {
	my ($name, $message, $text, %opts) = @$_;
	is(told($message, $text, %opts, level => 'warn'), 'accepted',
		"warned about - $name");
}

foreach (@accepted) {
	my ($name, $text, %opts) = @$_;
	my ($rc, $out) = conf_test($text, %opts);

	is(join("\n", $rc, grep { /\[(?!debug)\w+\]/ } split /\n/, $out), '0',
		"accepted - $name");
}

# files that are included

is(told(qr/has no "webhook_secret" in \S+\/inc-verify\.conf:3$/m,
	location('include inc-verify.conf;'), level => 'emerg', line => 0),
	'refused', 'line of webhook_verify in an included file');

is(told(qr/has no "webhook_secret" in \S+\/inc-inner\.conf:4$/m,
	"server {\n$dedup\ninclude inc-outer.conf;\n}\n$zone", level => 'emerg',
	line => 0), 'refused', 'line of webhook_verify in a file twice included');

is(told(qr/no protection against replays in \S+\/inc-verify\.conf:3$/m,
	location("include inc-verify.conf;\n$secret"), level => 'warn',
	line => 0), 'accepted', 'warning for an included file');

is(told(qr/unknown directive "nosuch".* in \S+\/inc-bad\.conf:5$/m,
	'include inc-bad.conf;', level => 'emerg', line => 0), 'refused',
	'line of a scheme in an included file');

# one warning for a line, however many locations inherit it

my ($rc, $out) = conf_test("server {\n$verify\n$secret\n"
	. join('', map { "location /$_ {\nlocation /$_/$_ {\n}\n}\n" } 1 .. 5)
	. '}');

is($rc . scalar(() = $out =~ /no protection against replays/g), '01',
	'warned once');

# nothing of a secret is printed

my $seen = 'xYzzYx';

foreach (
	[ 'short', $seen, 'nextpay' ],
	[ 'blanks', " $seen", 'nextpay' ],
	[ 'not base64', "whsec_$seen!", 'yoco' ],
	[ 'good base64', "whsec_$seen$seen", 'yoco' ],
	[ 'too many', "$seen\n" x 9, 'nextpay' ],
	[ 'too large', $seen x 12000, 'nextpay' ],
) {
	my ($name, $text, $scheme) = @$_;

	$t->write_file('seen', $text);

	my $conf = location("webhook_verify $scheme;\n"
		. "webhook_secret file:seen;");

	foreach my $dump (0, 1) {
		(undef, $out) = conf_test($conf, dump => $dump);

		unlike($out . $t->read_file('conf_test.log'), qr/$seen/i,
			"secret is not printed by nginx -" . ($dump ? 'T' : 't')
			. " - $name");
	}
}

(undef, $out) = conf_test(location("$verify\nwebhook_secret env:WEBHOOK_S;\n"
	. $dedup), dump => 1, env => { WEBHOOK_S => $seen });
unlike($out . $t->read_file('conf_test.log'), qr/$seen/i,
	'secret is not printed by nginx -T - environment');

# what looks like a variable in it is none

(undef, $out) = conf_test(location("$verify\nwebhook_secret '$seen\$ $seen';\n"
	. $dedup));
unlike($out . $t->read_file('conf_test.log'), qr/$seen/i,
	'literal secret is not printed by nginx -t');

# many places take about as long as without the module

SKIP: {
	skip 'slow with sanitizers', 1 if $ENV{TEST_NGINX_SANITIZE};

	my ($with, $without) = map { user_time(10000, $_) }
		"$verify $secret $dedup", '';

	cmp_ok($with / $without, '<', 2.5, 'ten thousand places')
		or diag("$with s, without the module $without s");
}

###############################################################################
# reloads

my $conf = <<'EOF';

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=z:1m;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location / {
            webhook_verify  nextpay;
            webhook_secret  file:current;
            webhook_dedup   zone=z;

            proxy_pass  http://127.0.0.1:8081;
        }
    }
}

EOF

my %secret = map { $_ => "the-$_-secret-of-the-test" } qw/ old new /;

rotate($secret{old});
$t->write_file_expand('nginx.conf', $conf);

my $u = upstream(8081);
$t->run();

is(answers(), '200 401', 'secret');

# the file is read with the configuration, and not before

rotate($secret{new});
is(answers(), '200 401', 'secret file changed');

ok($t->reload(), 'reload');
is(answers(), '401 200', 'secret changed by a reload');

# what is wrong leaves everything as it is

(my $bad = $conf) =~ s/webhook_verify  nextpay/webhook_verify  nosuch/;
$t->write_file_expand('nginx.conf', $bad);
ok(!$t->reload(), 'bad configuration refused');
is(answers(), '401 200', 'bad configuration has no effect');

rotate('');
$t->write_file_expand('nginx.conf', $conf);
ok(!$t->reload(), 'empty secret file refused');

$t->allow(qr/unknown webhook scheme "nosuch"/, qr/holds no secret/);

rotate("$secret{old}\n$secret{new}");
ok($t->reload(), 'reload to a good one');

is(answers(), '200 200', 'both secrets');

# a ttl that nginx accepts is one for which events are remembered

(my $far = $conf) =~ s/zone=z;/zone=z ttl=100y;/;
($rc, $out) = $t->conf_test($far);

if ($rc == 0) {
	$t->write_file_expand('nginx.conf', $far);
	$t->reload();

	my ($first, $again) = map { deliver('nextpay', $secret{old},
		'{"id":"far"}')->header('Webhook-Duplicate') || 0 } 1, 2;

	is("$first $again", '0 1', 'ttl of a hundred years');

} else {
	like($out, qr/\[emerg\] .*ttl=100y/, 'ttl of a hundred years');
}

###############################################################################

# nginx -t, on a port of the test

sub conf_test {
	my ($text, %opts) = @_;

	$text =~ s/^server \{\n(?!listen)/server {\nlisten 127.0.0.1:8080;\n/mg;

	return $t->conf_test($text, in => 'http', %opts);
}

# how nginx -t ends, or what is wrong with what it says

sub told {
	my ($message, $text, %opts) = @_;

	my ($rc, $out) = conf_test($text, %opts);

	my @lines = grep { /\[$opts{level}\]/ } split /\n/, $out;

	return "said nothing: $out" unless @lines;
	return "not said: $out" unless grep { /$message/ } @lines;

	if (!defined $opts{line}) {
		my @conf = split /\n/, $t->read_file('conf_test.conf');
		my ($n) = grep { $conf[$_ - 1] =~ /# here$/ } 1 .. @conf;

		return "not for line $n: $out" unless grep { /$message/
			&& m!in \S+/conf_test\.conf:$n$! } @lines;
	}

	return 'several errors: ' . join "\n", @lines
		if $opts{level} eq 'emerg' and @lines > 1;

	return 'other warnings: ' . join "\n", @lines
		if $opts{level} eq 'warn' and grep { !/$message/ } @lines;

	return $rc ? 'refused' : 'accepted';
}

# the least of three times that nginx -t takes of the processor

sub user_time {
	my ($n, $text) = @_;

	my $conf = "${zone}server {\n"
		. join('', map { "location = /$_ {\n$text\n}\n" } 1 .. $n)
		. '}';
	my $least;

	foreach (1 .. 3) {
		my $from = (times())[2];
		my ($rc, $out) = conf_test($conf);
		my $time = (times())[2] - $from;

		die $out if $rc;
		$least = $time if !defined $least or $time < $least;
	}

	return $least;
}

sub rotate {
	my ($text) = @_;

	$t->write_file('current', "$text\n");
	chmod 0600, $t->testdir() . '/current';
}

my $n = 0;

sub answers {
	return join ' ', map {
		deliver('nextpay', $secret{$_}, '{"id":' . ++$n . '}')->{status}
	} qw/ old new /;
}

###############################################################################
