#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for webhook_dry_run: everything is judged and logged, and nothing is
# refused, nor written to the zone that other locations share.

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

my $start = 1764000000;

my %secret = (
	nextpay => 'secret-of-nextpay-0123456789',
	stripe => 'secret-of-stripe-0123456789',
	'standard-webhooks' => 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3',
);

my $t = Test::Nginx->new()->has(qw/http proxy map/)->has_faketime()
	->plan(135);

my $locations = join "\n", map { <<"EOF" } sort keys %secret;
        location /dry/$_ {
            webhook_verify   $_;
            webhook_secret   $secret{$_};
            webhook_dedup    zone=events key=k;
            webhook_dry_run  on;

            proxy_pass  http://127.0.0.1:8081;
        }

        location /enforced/$_ {
            webhook_verify  $_;
            webhook_secret  $secret{$_};
            webhook_dedup   zone=events key=k;

            proxy_pass  http://127.0.0.1:8081;
        }
EOF

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  verdict  '"\$http_x_case" "\$webhook_status" '
                         '"\$webhook_reason" "\$webhook_scheme" '
                         '"\$webhook_event_id"';
    access_log  %%TESTDIR%%/verdict.log  verdict;

    webhook_dedup_zone      zone=events:1m;
    webhook_in_flight_wait  0;

    client_max_body_size  8m;

    proxy_set_header  X-Id      \$webhook_event_id;
    proxy_set_header  X-Type    \$webhook_event_type;
    proxy_set_header  X-Time    \$webhook_timestamp;
    proxy_set_header  X-Status  \$webhook_status;

    map \$arg_tenant \$tenant_secret {
        default  "";
        a        $secret{nextpay};
    }

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

$locations

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /dry/tenant {
            webhook_verify   nextpay;
            webhook_secret   \$tenant_secret;
            webhook_dedup    zone=events key=\$arg_tenant;
            webhook_dry_run  on;

            proxy_pass  http://127.0.0.1:8081;
        }

        location /dry/file {
            webhook_verify   nextpay;
            webhook_secret   $secret{nextpay};
            webhook_dedup    zone=events key=k;
            webhook_dry_run  on;

            client_body_in_file_only  clean;

            proxy_pass  http://127.0.0.1:8081;
        }

        location /dry/small {
            webhook_verify   nextpay;
            webhook_secret   $secret{nextpay};
            webhook_dedup    zone=events key=k;
            webhook_dry_run  on;

            webhook_json_max_size  100;

            proxy_pass  http://127.0.0.1:8081;
        }

        location /dry/status {
            webhook_verify         nextpay;
            webhook_secret         $secret{nextpay};
            webhook_dry_run        on;
            webhook_reject_status  403;
            webhook_log_level      error;

            proxy_pass  http://127.0.0.1:8081;
        }

        location /enforced/status {
            webhook_verify     nextpay;
            webhook_secret     $secret{nextpay};
            webhook_log_level  info;

            proxy_pass  http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->clock($start)->run();

###############################################################################

# each kind of refusal: proxied here, refused there

my $sig = 'x-nextpay-signature';
my $many = join ',', "t=$start", map { "v1=" . '0' x 64 } 1 .. 17;

my @cases = (
	[ 'missing_signature', 'nextpay', '{"id":"a"}', set => { $sig => undef } ],
	[ 'malformed_signature', 'nextpay', '{"id":"a"}',
		set => { $sig => 'x' x 64 } ],
	[ 'signature_mismatch', 'nextpay', '{"id":"a"}',
		set => { $sig => '0' x 64 } ],
	[ 'too_many_signatures', 'stripe', '{"id":"a"}',
		set => { 'stripe-signature' => $many } ],
	[ 'missing_timestamp', 'stripe', '{"id":"a"}',
		set => { 'stripe-signature' => 'v1=' . '0' x 64 } ],
	[ 'missing_timestamp', 'standard-webhooks', '{"type":"a"}',
		set => { 'webhook-timestamp' => undef } ],
	[ 'malformed_timestamp', 'standard-webhooks', '{"type":"a"}',
		ts_text => "+$start" ],
	[ 'stale_timestamp', 'standard-webhooks', '{"type":"a"}',
		ts => $start - 301 ],
	[ 'future_timestamp', 'standard-webhooks', '{"type":"a"}',
		ts => $start + 301 ],
	[ 'missing_field', 'standard-webhooks', '{"type":"a"}', id => undef ],
	[ 'malformed_field', 'standard-webhooks', '{"type":"a"}', id => 'a.b' ],
	[ 'signature_mismatch', 'standard-webhooks', '{"type":"a"}',
		set => { 'webhook-id' => 'other' } ],
);

foreach my $case (@cases) {
	my ($reason, $scheme, $body, %opts) = @$case;

	my $name = "$reason, $scheme";
	my $pos = $t->log_pos();

	is(sent("/enforced/$scheme", $scheme, $body, %opts,
		case => "enforced $name"), '401',
		"$name - enforced");
	is(logged("enforced $name"), "REJECTED $reason $scheme ",
		"$name - enforced, variables");
	is(sent("/dry/$scheme", $scheme, $body, %opts,
		case => "dry $name"), '200 proxied', "$name - dry run");
	is(logged("dry $name"), "REJECTED_DRY_RUN $reason $scheme ",
		"$name - dry run, variables");
	is(scalar $t->lines(qr/\[error\].*\b$reason\b/, from => $pos), 2,
		"$name - both logged");

	my $last = $u->last();

	is(join(' ', $last->{body}, map { defined $_ ? $_ : '-' }
		map { scalar Test::Nginx::Upstream::header($last, "X-$_") }
		qw/ Id Type Time Status /), "$body - - - REJECTED_DRY_RUN",
		"$name - what is proxied");
}

###############################################################################

# no secret

$u->reset();

my $body = '{"id":"tenant"}';

is(sent('/dry/tenant?tenant=b', 'nextpay', $body, case => 'tenant b')
	. ', ' . logged('tenant b'),
	'200 proxied, REJECTED_DRY_RUN no_secret nextpay ', 'no secret');
is(sent('/dry/tenant?tenant=a', 'nextpay', $body, case => 'tenant a')
	. ', ' . logged('tenant a'),
	'200 proxied, PASSED_DRY_RUN  nextpay tenant', 'secret');

# what passes

$body = '{"id":"pass","type":"t"}';

is(join(', ', map { sent('/dry/nextpay', 'nextpay', $body,
	case => "pass$_") } 1 .. 3),
	'200 proxied, 200 proxied, 200 proxied', 'passed');
is(join(', ', map { logged("pass$_") } 1 .. 3),
	join(', ', ('PASSED_DRY_RUN  nextpay pass') x 3),
	'passed - variables');

my $last = $u->last();

is(join(' ', map { scalar Test::Nginx::Upstream::header($last, "X-$_") }
	qw/ Id Type Status /), 'pass t PASSED_DRY_RUN',
	'passed - what is proxied');

# nothing was written: the enforcing location has not seen it

is(sent('/enforced/nextpay', 'nextpay', $body), '200 proxied',
	'passed - not remembered');
is(sent('/enforced/nextpay', 'nextpay', $body), '200 duplicate',
	'then remembered');

# and now it would be a duplicate

is(sent('/dry/nextpay', 'nextpay', $body, case => 'dup') . ', '
	. logged('dup'), '200 proxied, DUPLICATE_DRY_RUN already_delivered '
	. 'nextpay pass', 'duplicate');
is($u->last()->{body}, $body, 'duplicate - what is proxied');

$u->script(500);

is(sent('/dry/nextpay', 'nextpay', $body), '500 proxied',
	'duplicate - upstream fails');
is(sent('/enforced/nextpay', 'nextpay', $body), '200 duplicate',
	'duplicate - and it stays one');

# forged, with an id that is known or new: the zone does not change

is(join(', ', map { sent($_, 'nextpay', $body, set => { $sig => '0' x 64 }) }
	'/dry/nextpay', '/enforced/nextpay') . ', '
	. sent('/enforced/nextpay', 'nextpay', $body),
	'200 proxied, 401, 200 duplicate', 'forged - known id');

$body = '{"id":"forged"}';

is(join(', ', map { sent($_, 'nextpay', $body, set => { $sig => '0' x 64 }) }
	'/dry/nextpay', '/enforced/nextpay') . ', '
	. sent('/enforced/nextpay', 'nextpay', $body),
	'200 proxied, 401, 200 proxied', 'forged - new id');

###############################################################################

# in flight: whatever the outcome here is, it is not that of the claim there

foreach my $status (200, 500) {
	$u->reset()->script('hang', $status);

	$body = "{\"id\":\"flight$status\"}";

	my $c = sent('/enforced/nextpay', 'nextpay', $body, send_only => 1);
	$u->wait_for(1);

	is(sent('/dry/nextpay', 'nextpay', $body, case => "flight$status")
		. ', ' . logged("flight$status"), "$status proxied, "
		. "IN_FLIGHT_DRY_RUN lease_held nextpay flight$status",
		"in flight, $status");
	is(sent('/enforced/nextpay', 'nextpay', $body), '503 retry 5',
		"in flight, $status - still");

	$u->release(1, $status == 200 ? 500 : 200);

	is($c->response()->{status} . ', '
		. sent('/enforced/nextpay', 'nextpay', $body),
		$status == 200 ? '500, 200 proxied' : '200, 200 duplicate',
		"in flight, $status - outcome");
}

# the other way round: a dry run holds no claim

$u->reset()->script('hang');
$body = '{"id":"dry-flight"}';

my $c = sent('/dry/nextpay', 'nextpay', $body, send_only => 1);
$u->wait_for(1);

is(sent('/enforced/nextpay', 'nextpay', $body), '200 proxied',
	'dry run in flight - no claim');

$u->release(1, 500);

is($c->response()->{status} . ', '
	. sent('/enforced/nextpay', 'nextpay', $body), '500, 200 duplicate',
	'dry run in flight - outcome');

###############################################################################

# ids that are missing, ambiguous ...

$u->reset();

foreach my $case (
	[ 'missing_id', '{"type":"t"}', 'PASSED_DRY_RUN' ],
	[ 'invalid_json', 'hello', 'PASSED_DRY_RUN' ],
	[ 'id_too_long', '{"id":"' . 'x' x 257 . '"}', 'PASSED_DRY_RUN' ],
	[ 'json_too_large', '{"id":"large","x":"' . 'x' x 100 . '"}',
		'PASSED_DRY_RUN', uri => '/dry/small' ],
	[ 'ambiguous_json', '{"id":"1","id":"2"}', 'REJECTED_DRY_RUN' ],
) {
	my ($reason, $body, $status, %opts) = @$case;

	is(sent($opts{uri} || '/dry/nextpay', 'nextpay', $body,
		case => $reason), '200 proxied', $reason);
	like(logged($reason), qr/^$status $reason nextpay /,
		"$reason - variables");
	is($u->last()->{body}, $body, "$reason - what is proxied");
}

###############################################################################

# the body is that which was sent, read or not, wherever it is

foreach my $case (
	[ 'large' ],
	[ 'chunked', chunked => [ 1, 100000 ] ],
	[ 'pieces', pieces => [ 1, 100000 ] ],
	[ 'file', uri => '/dry/file' ],
	[ 'file, chunked', uri => '/dry/file', chunked => [ 7 ] ],
	[ 'HTTP/1.0', http => '1.0' ],
) {
	my ($name, %opts) = @$case;
	my $uri = delete $opts{uri} || '/dry/nextpay';

	my $body = '{"id":"' . $name . '","x":"' . 'x' x 500000 . '"}';

	foreach my $value (undef, '0' x 64) {
		my $why = defined $value ? 'mismatch' : 'missing';

		is(sent($uri, 'nextpay', $body, %opts,
			set => { $sig => $value }), '200 proxied',
			"$name, $why");
		is($u->last()->{body} eq $body, 1, "$name, $why - body");
	}
}

# the status of refusals is not for a dry run, the level of the log is

my $pos = $t->log_pos();

is(sent('/dry/status', 'nextpay', '{}', set => { $sig => '0' x 64 }),
	'200 proxied', 'no status of its own');
is(sent('/enforced/status', 'nextpay', '{}', set => { $sig => '0' x 64 }),
	'401', 'enforced');
is(join(' ', map { scalar $t->lines(qr/\[$_\].*\bsignature_mismatch\b/,
	from => $pos) } qw/ error warn notice info /), '1 0 0 1', 'levels');

###############################################################################

# What became of a delivery: the answer's status, "proxied" if it reached the
# upstream.  "set" changes headers that were signed, or takes them away.

sub sent {
	my ($uri, $scheme, $body, %opts) = @_;

	my $set = $opts{set} || {};
	my @headers = map { exists $set->{$_->[0]} ? [ $_->[0],
		$set->{$_->[0]} ] : $_ } sign($scheme, $secret{$scheme}, $body,
		%opts);
	@headers = grep { defined $_->[1] } @headers;

	push @headers, [ 'X-Case', $opts{case} ] if defined $opts{case};

	my @event = (%opts, uri => $uri, body => $body, headers => \@headers);

	return request(@event) if $opts{send_only};

	return came_of($u, sub { request(@event) });
}

# lines are written after the answer

sub logged {
	my ($case) = @_;

	my $line = $t->wait_log(qr/^"\Q$case\E" /, name => 'verdict.log')
		or return 'not logged';

	my ($status, $reason, $scheme, $id)
		= $line =~ /" "(.*)" "(.*)" "(.*)" "(.*)"$/;

	return "$status $reason $scheme " . ($id eq '-' ? '' : $id);
}

###############################################################################
