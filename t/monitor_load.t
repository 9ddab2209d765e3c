#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the monitor under load, of eight worker processes and as many
# senders: what is counted is what was sent, by outcome, and what a zone holds
# is what was accepted and not forgotten, also when all of a zone is forgotten
# meanwhile.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Monitor;
use Test::Nginx::Webhook;

use JSON::PP qw/ decode_json /;
use POSIX qw//;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my ($senders, $each) = (8, 100);
my $secret = 'the-secret-of-the-test';

my $t = Test::Nginx->new()->has(qw/http proxy/)->plan(15);

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

worker_processes  8;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=z:1m;

    keepalive_requests  1000;

    server {
        listen  127.0.0.1:8088;

        location = /webhooks {
            webhook_monitor  write=on;
        }
    }

    server {
        listen  127.0.0.1:8081;

        location / {
            return 200 ok;
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  hooks.example.com;

        location = /hooks {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=z;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF_

$t->run();

ok(wait_until(sub { $t->workers() == 8 }), 'processes');

###############################################################################

# each event twice, and once forged

my @pids = map { send_all($_) } 1 .. $senders;
is(join(' ', map { ended($_) } @pids), join(' ', (0) x $senders),
	'all were answered');

my $n = $senders * $each;

is(counted('passed', 'none'), $n, 'passed');
is(counted('duplicate', 'already_delivered'), $n, 'duplicates');
is(counted('rejected', 'signature_mismatch'), $n, 'rejected');
is(metric('requests_total'), 3 * $n, 'and no others');
is(metric('secret_matches_total'), 2 * $n, 'signatures');
is(join(' ', map { metric("dedup_${_}_total") } qw/ claims committed freed
	lost /), "$n $n 0 0", 'zone');
is(metric('dedup_used_slots') . ' ' . metric('dedup_in_flight'), "$n 0",
	'zone - what it holds');

# the same while all is forgotten, again and again

@pids = map { send_all($_) } $senders + 1 .. 2 * $senders;

my $forgotten = 0;
my $times = 0;
my %left = map { $_ => 1 } @pids;
my @failed;

while (%left) {
	my $r = monitor('zone=z&all=yes', method => 'DELETE',
		headers => [ [ 'Webhook-Forget', 'z' ] ]);

	push @failed, $r->{status} unless $r->{status} == 200;
	$forgotten += decode_json($r->{body})->{forgotten} if $r->{status} == 200;
	$times++;

	foreach my $pid (keys %left) {
		next unless waitpid($pid, POSIX::WNOHANG()) == $pid;
		push @failed, "sender: $?" if $?;
		delete $left{$pid};
	}
}

is("@failed", '', 'forgotten - all were answered');
cmp_ok($times, '>', 1, 'forgotten - while events came');

wait_until(sub { metric('requests_total') == 6 * $n });
is(metric('requests_total', outcome => 'passed')
	+ metric('requests_total', outcome => 'duplicate'), 4 * $n,
	'forgotten - passed again, or duplicates');
is(metric('dedup_committed_total') . ' ' . metric('dedup_lost_total'),
	metric('dedup_claims_total') . ' 0', 'forgotten - no claim was');
is(metric('dedup_forgotten_total'), $forgotten, 'forgotten - counted');
is(metric('dedup_used_slots'), metric('dedup_committed_total') - $forgotten,
	'forgotten - what is left');

###############################################################################

# a process that sends, and ends with 0 if each answer was a good one

sub send_all {
	my ($sender) = @_;

	my $pid = fork();
	die "Unable to fork(): $!\n" unless defined $pid;
	return $pid if $pid;

	my $bad = 0;
	my $client = client();

	foreach my $i (1 .. $each) {
		foreach my $key ($secret, 'wrong', $secret) {
			my $r = deliver('nextpay', $key, "{\"id\":\"$sender-$i\"}",
				uri => '/hooks', client => $client);
			$bad++ if $r->{status} != ($key eq $secret ? 200 : 401);
		}
	}

	POSIX::_exit($bad ? 1 : 0);
}

sub ended {
	waitpid $_[0], 0;
	return $?;
}

sub counted {
	my ($outcome, $reason) = @_;

	wait_until(sub { metric('requests_total') == 3 * $n });
	return metric('requests_total', outcome => $outcome, reason => $reason);
}

###############################################################################
