#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for faults of the server while the monitor answers, and while the cause
# of a refusal is looked for: each allocation fails, and each call of OpenSSL.
# An answer is whole, or there is none; what was to be forgotten is remembered,
# or passes once; a refusal is what it was.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Faults;
use Test::Nginx::Monitor;
use Test::Nginx::Providers;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'the-secret-of-the-test';

my $t = Test::Nginx->new()->has(qw/http proxy/)
	->allow(qr/\(12: Cannot allocate memory\)/);
my $faults = Test::Nginx::Faults->new($t);
my $d = $t->testdir();

my @diagnosed = qw/ nextpay github discord sendgrid twilio tebex /;

foreach my $name (@diagnosed) {
	$t->write_file("$name.keys", join '', map { "$_\n" }
		$name =~ /^(?:nextpay|github)$/ ? "\"$secret\""
			: secrets($name, 'new'));
}

chmod 0600, map { "$d/$_.keys" } @diagnosed;

my $locations = join "\n", map { <<"EOF" } @diagnosed;
        location /$_ {
            webhook_verify  $_;
            webhook_secret  file:$_.keys;
            proxy_pass      http://127.0.0.1:8081;
        }
EOF

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

worker_processes  1;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  hints  '\$uri \$status "\$webhook_hint"';
    access_log  off;

    request_pool_size     112;
    connection_pool_size  112;

    webhook_dedup_zone  zone=z:1m;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location /hook {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=z;
            proxy_pass      http://127.0.0.1:8081;
        }

        location / {
            proxy_pass      http://127.0.0.1:8081;
        }
    }

    server {
        listen       127.0.0.1:8082;
        server_name  localhost;

        webhook_diagnose  on;
        access_log        %%TESTDIR%%/hints.log  hints;

$locations
    }

    server {
        listen       127.0.0.1:8088;
        server_name  localhost;

        location /webhooks {
            webhook_monitor  write=on;
        }
    }
}

EOF

my $u = upstream(8081);

$t->plan(26)->run();

my ($worker) = $t->workers();
my ($id, $seconds) = (0, 0);

###############################################################################

# what it shows

request(hook('known'));
request(%{flipped(hook('forged'))});

foreach my $format (qw/ prometheus json html /) {
	is($faults->each(MEMORY, shown("format=$format")), '', $format);
}

# an event that is asked for

my $args = 'server=localhost&location=/hook&key=';

foreach my $case ([ 'known', qr/"state":"done"/ ],
	[ 'unknown', qr/"state":"unknown"/ ])
{
	my ($key, $re) = @$case;

	foreach my $mode (MEMORY, CALLS) {
		is($faults->each($mode, asked($u, 200, sub {
			question("$args$key") })), '',
			"$key, " . ($mode == MEMORY ? 'allocations' : 'calls'));
	}

	like(request(question("$args$key"))->{body}, $re, $key);
}

# and forgotten

foreach my $mode (MEMORY, CALLS) {
	my $what = $mode == MEMORY ? 'allocations' : 'calls';

	is($faults->each($mode, forgotten(sub { "$args$_[0]" })), '',
		"forgotten, $what");
	is($faults->each($mode, asked($u, 404, sub {
		question("${args}nobody", forget()) })), '',
		"nothing to be forgotten, $what");
}

is($faults->each(MEMORY, forgotten(sub { 'zone=z&all=yes' })), '',
	'all forgotten, allocations');

###############################################################################

# Forged requests, each at a time of its own: one a second is diagnosed.  The
# answer is out by then, and says what it would have said.

foreach my $mode (MEMORY, CALLS) {
	my $what = $mode == MEMORY ? 'allocations' : 'calls';

	foreach my $name (@diagnosed) {
		next if $mode == CALLS and $name =~ /^(?:github|tebex)$/;

		my $from = $t->log_pos('hints.log');
		my $code = forged($u, sub { refused($name) });

		is($faults->each($mode, sub {
			$faults->ahead(++$seconds % 100);
			$code->(@_);
		}), '', "$name, $what");

		next if $mode == CALLS or $name ne 'nextpay';

		ok($t->wait_log(qr!^/$name 401 "secret_blanks"!, count => 2,
			name => 'hints.log', from => $from),
			'the cause is found');
	}
}

is(join(' ', $t->workers()), $worker, 'the same worker');

###############################################################################

sub hook {
	my ($id) = @_;

	my $body = "{\"id\":\"$id\"}";

	return (uri => '/hook', body => $body,
		headers => [ sign('nextpay', $secret, $body) ]);
}

sub flipped {
	my (%event) = @_;

	return { %event, body => flip($event{body}) };
}

# nearly right: by the secret without its quotes, or for a byte of the body

sub refused {
	my ($name) = @_;

	my $body = '{"id":"' . ++$id . '"}';

	return (port => 8082, uri => "/$name", body => $body, headers => [
		sign($name, $secret, $body) ])
		if $name =~ /^(?:nextpay|github)$/;

	return (%{flipped(event($name, n => 1, uri => "/$name"))},
		port => 8082);
}

sub question {
	my ($args, %opts) = @_;

	return (port => 8088, method => 'GET', uri => "/webhooks?$args", %opts);
}

sub forget {
	return (method => 'DELETE', headers => [ [ 'Webhook-Forget', 'z' ] ]);
}

# numbers change, the form does not

sub shown {
	my ($args) = @_;

	my $form = sub {
		my ($r) = @_;

		return 'closed' unless $r->{status} and $r->{complete};

		return join ' ', $r->{status},
			$r->header('Content-Type') || '-',
			$r->{body} =~ s/\d+/0/gr;
	};

	my $right = $form->(monitor($args));

	return sub {
		my ($fault) = @_;

		my ($got, $failed) = $fault->(sub { $form->(monitor($args)) });

		return 'answered ' . substr $got, 0, 99 if $got ne $right
			and !($failed and $got =~ /^(?:5\d\d |closed)/);

		return $form->(monitor($args)) ne $right ? 'other then' : undef;
	};
}

# passes again if it was said to be forgotten; a fault may come behind that

sub forgotten {
	my ($code) = @_;

	return sub {
		my ($fault) = @_;

		my $key = 'forget-' . ++$id;

		return 'not delivered' if outcome(request(hook($key))) ne '200';

		my ($got, $failed) = $fault->(sub {
			outcome(request(question($code->($key), forget())))
		});

		return "answered $got" if $got !~ ($failed
			? qr/^(?:200|5\d\d|closed)$/ : qr/^200$/);

		$u->reset();

		my $then = join ', ', map { outcome(request(hook($key))) } 1, 2;

		return "answered $got, then $then, delivered " . $u->count()
			unless $then eq '200, 200 duplicate' and $u->count() == 1
				or $got ne '200' and $u->count() == 0
				and $then eq '200 duplicate, 200 duplicate';

		return;
	};
}

###############################################################################
