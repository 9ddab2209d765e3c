#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the variables: their values after each kind of verdict in the
# access log, in headers and in maps; nothing before the verdict, and nothing
# of that kept; nothing where nothing is verified.

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

my $now = 1764000000;

my @names = qw/ status reason scheme age event_id event_type timestamp
	secret_index /;

my $t = Test::Nginx->new()->has(qw/http proxy map rewrite auth_request mirror/)
	->has_faketime();

my %secret = (one => 'the-first-secret-of-the-test',
	two => 'the-second-secret-of-the-test');

$t->write_file('secrets', "$secret{one}\n# next\n$secret{two}\n");
chmod 0600, $t->testdir() . '/secrets';

my $log = join '|', map { "\$webhook_$_" } @names;
my $headers = join "\n", map { "proxy_set_header  X-$_  \$webhook_$_;" } @names;
my $added = join "\n", map { "add_header  X-$_  \$webhook_$_  always;" } @names;

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=z:1m;

    log_format  vars  '\$uri \$status $log';
    access_log  %%TESTDIR%%/vars.log  vars;

    map \$webhook_status \$late {
        PASSED   "late \$webhook_event_id";
        ""       none;
        default  other;
    }

    map \$webhook_status \$early {
        volatile;

        PASSED   "passed \$webhook_event_id";
        ""       none;
        default  other;
    }

    webhook_secret  file:secrets;

    $headers
    proxy_set_header  X-Before   \$before;
    proxy_set_header  X-Seen     \$seen;
    proxy_set_header  X-Late     \$late;
    proxy_set_header  X-Early    \$early;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        # before the verdict of any kind

        set  \$before  "$log";
        set  \$seen    "\$early";

        if (\$webhook_event_id) {
            set  \$seen  id;
        }

        if (\$webhook_status = PASSED) {
            set  \$seen  passed;
        }

        webhook_dedup           zone=z;
        webhook_in_flight_wait  0;

        location = /stripe {
            $added
            webhook_verify  stripe;

            proxy_pass  http://127.0.0.1:8081;
        }

        location = /nextpay {
            $added
            webhook_verify  nextpay;

            proxy_pass  http://127.0.0.1:8081;
        }

        location = /dry {
            $added
            webhook_verify   stripe;
            webhook_dry_run  on;

            proxy_pass  http://127.0.0.1:8081;
        }

        location = /page {
            webhook_verify  stripe;
            error_page      401  /error;

            proxy_pass  http://127.0.0.1:8081;
        }

        location = /error {
            internal;
            webhook_verify  off;
            return  403  "$log";
        }

        location = /off {
            $added
            webhook_verify  off;

            proxy_pass  http://127.0.0.1:8081;
        }

        location = /never {
            $added

            proxy_pass  http://127.0.0.1:8081;
        }

        location = /auth {
            webhook_verify  stripe;
            auth_request    /sub;

            proxy_pass  http://127.0.0.1:8081;
        }

        location = /sub {
            internal;
            webhook_verify           off;
            proxy_pass               http://127.0.0.1:8082;
            proxy_pass_request_body  off;
            proxy_set_header         Content-Length  "";
            proxy_set_header         X-Vars          "$log";
        }

        location / {
            webhook_verify  off;
        }
    }
}

EOF

$t->plan(43);

my $last;
my ($u, $a) = map { upstream($_) } 8081, 8082;

$t->clock($now)->run();

# as a field of the log is empty where the header is absent

my $none = '|||||||';
my $body = '{"id":"evt_1","type":"a.b"}';

###############################################################################

# passed

is(told('/stripe', 'stripe', 'one', $body),
	"200 PASSED||stripe|0|evt_1|a.b|$now|1", 'passed, log');
is(proxied(), "PASSED||stripe|0|evt_1|a.b|$now|1", 'passed, proxy_set_header');
is(added(), "PASSED||stripe|0|evt_1|a.b|$now|1", 'passed, add_header');
is(header('X-Before'), $none, 'set, before the verdict');
is(header('X-Seen'), 'none', 'if and map, before the verdict');
is(header('X-Late'), 'late evt_1', 'map, after the verdict');
is(header('X-Early'), 'passed evt_1', 'volatile map, before and after');

# age, secret index

is(told('/stripe', 'stripe', 'two', '{"id":"evt_2"}', ts => $now - 299),
	"200 PASSED||stripe|299|evt_2||" . ($now - 299) . '|2', 'old, second secret');
is(told('/stripe', 'stripe', 'two', '{"id":"evt_3","type":["x"]}',
	ts => $now + 7), '200 PASSED||stripe|-7|evt_3||' . ($now + 7) . '|2',
	'negative age');
is(told('/nextpay', 'nextpay', 'one', $body),
	'200 PASSED||nextpay||evt_1|a.b||1', 'no timestamp');
is(proxied(), 'PASSED||nextpay||evt_1|a.b||1', 'no timestamp, headers');

# an event without an id

is(told('/nextpay', 'nextpay', 'one', '{"type":"t"}'),
	'200 PASSED|missing_id|nextpay|||t||1', 'no id');
is(told('/nextpay', 'nextpay', 'one', 'x'),
	'200 PASSED|invalid_json|nextpay|||||1', 'not JSON');

# duplicate

is(told('/stripe', 'stripe', 'two', $body, ts => $now - 1),
	'200 DUPLICATE|already_delivered|stripe|1|evt_1|a.b|' . ($now - 1) . '|2',
	'duplicate, log');
is(added(), 'DUPLICATE|already_delivered|stripe|1|evt_1|a.b|' . ($now - 1)
	. '|2', 'duplicate, add_header');

# in flight

$u->on(qr!^/!, 'hang');
my $c = deliver('stripe', $secret{one}, '{"id":"evt_4"}', uri => '/stripe',
	send_only => 1);
ok($u->wait_for(1), 'first delivery hangs');
is(told('/stripe', 'stripe', 'one', '{"id":"evt_4"}', keep => 1),
	"503 IN_FLIGHT|lease_held|stripe|0|evt_4||$now|1", 'in flight');
my $from = $t->log_pos('vars.log');
$u->release();
is($c->response()->{status}, 200, 'first delivery is answered');
$t->wait_log(qr/./, name => 'vars.log', from => $from);
$u->reset();

# rejected: nothing of the event

is(told('/stripe', 'stripe', 'x', $body),
	'401 REJECTED|signature_mismatch|stripe|0||||', 'rejected, log');
is(added(), 'REJECTED|signature_mismatch|stripe|0||||',
	'rejected, add_header');
is($u->count(), 0, 'rejected, not proxied');
is(told('/stripe', 'stripe', 'one', $body, ts => $now - 301),
	'401 REJECTED|stale_timestamp|stripe|301||||', 'stale');
is(told('/stripe', 'stripe', 'one', $body, ts => $now + 301),
	'401 REJECTED|future_timestamp|stripe|-301||||', 'future');
is(told('/stripe', 'stripe', 'one', $body, ts_text => '0000000001'),
	"401 REJECTED|stale_timestamp|stripe|" . ($now - 1) . '||||', 'very old');
is(told('/stripe', 'stripe', 'one', $body, ts_text => 'x'),
	'401 REJECTED|malformed_timestamp|stripe|||||', 'malformed timestamp');
is(told('/stripe', 'nextpay', 'one', $body),
	'401 REJECTED|missing_signature|stripe|||||', 'missing signature');

# dry run

is(told('/dry', 'stripe', 'one', '{"id":"evt_5"}'),
	"200 PASSED_DRY_RUN||stripe|0|evt_5||$now|1", 'dry run, passed');
is(proxied(), "PASSED_DRY_RUN||stripe|0|evt_5||$now|1",
	'dry run, passed, headers');
is(told('/dry', 'stripe', 'x', '{"id":"evt_5"}'),
	'200 REJECTED_DRY_RUN|signature_mismatch|stripe|0||||',
	'dry run, rejected');
is(proxied(), 'REJECTED_DRY_RUN|signature_mismatch|stripe|0||||',
	'dry run, rejected, headers');
is(header('X-Late'), 'other', 'dry run, rejected, map');

# error page

is(told('/page', 'stripe', 'x', $body),
	'401 REJECTED|signature_mismatch|stripe|0||||', 'error page');
is($last->{body}, 'REJECTED|signature_mismatch|stripe|0||||',
	'error page, in its text');
is(told('/page', 'stripe', 'one', '{"id":"evt_6"}'),
	"200 PASSED||stripe|0|evt_6||$now|1", 'error page, not met');

# not verified

foreach my $uri (qw! /off /never !) {
	is(told($uri, 'stripe', 'one', $body), "200 $none", "$uri, log");
	is(proxied(), $none, "$uri, headers");
	is(added(), $none, "$uri, add_header");
}

# a subrequest before the verdict

is(told('/auth', 'stripe', 'one', '{"id":"evt_7"}'),
	"200 PASSED||stripe|0|evt_7||$now|1", 'behind auth_request');

my ($vars) = Test::Nginx::Upstream::header($a->last(), 'X-Vars');
is($vars, $none, 'in a subrequest before the verdict');

# nothing of one request is seen by the next one on its connection

my $k = deliver('stripe', $secret{one}, '{"id":"evt_8"}', uri => '/stripe',
	keepalive => 1);
$u->reset();
request(client => $k->{client}, uri => '/never', body => 'x');
is(proxied(), $none, 'next request of the connection');

###############################################################################

# sends and returns the status and what was logged

sub told {
	my ($uri, $scheme, $name, $body, %opts) = @_;

	my $from = $t->log_pos('vars.log');
	$u->reset() unless delete $opts{keep};

	$last = deliver($scheme, defined $secret{$name} ? $secret{$name} : $name,
		$body, %opts, uri => $uri);

	# what is not read to its end is logged when the client has left

	$last->{client}->close();

	my $line = $t->wait_log(qr/./, name => 'vars.log', from => $from) || '';

	return "no $last->{status} logged: $line"
		unless $line =~ s/^\S+ $last->{status} //;

	# a variable that is not found is logged as -

	$line =~ s/(?<![^|])-(?![^|])//g;

	return "$last->{status} $line";
}

sub header {
	my ($name) = @_;
	my ($value) = Test::Nginx::Upstream::header($u->last(), $name);
	return defined $value ? $value : '';
}

sub proxied {
	return join '|', map { header("X-$_") } @names;
}

sub added {
	return join '|', map { my ($value) = $last->header("X-$_");
		defined $value ? $value : '' } @names;
}

###############################################################################
