#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for a state file on a disk that is full while nginx works: events are
# delivered and remembered as ever, the file can be read, holds nothing that was
# not accepted and all that it held before, and is complete as soon as there is
# room.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Monitor;
use Test::Nginx::StateFile;
use Test::Nginx::Webhook;

use POSIX qw/ EDQUOT EIO ENOSPC /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faults()
	->allow(qr/\[crit\] .*pwrite\(\) "\S+events\.state\S*" failed/)
	->plan(45);

my $d = $t->testdir();

mkdir "$d/state";

my $u = upstream(8081);

conf('32k');
$t->run();

###############################################################################

# nothing can be written, or nothing but the header

my (%accepted, @kept);

foreach my $case (
	[ 'no space', "pwrite 0 events.state " . ENOSPC ],
	[ 'no quota', "pwrite 256 events.state " . EDQUOT ],
	[ 'no disk', "pwrite 256 events.state " . EIO ],
) {
	my ($name, $rule) = @$case;
	my ($errno) = $rule =~ /(\d+)$/;

	push @kept, "$name-before";
	sent($kept[-1]);
	ok(written(@kept), "$name - written before");

	my $errors = metric('state_write_errors_total', zone => 'events');
	my $from = $t->log_pos();

	$t->faults($rule);

	is(sent("$name-a"), '200 proxied', "$name - delivered");
	ok($t->wait_log(qr/\[crit\] .*pwrite\(\) "\S+events\.state" failed \($errno:/,
		from => $from), "$name - told of");
	is(sent("$name-$_"), '200 proxied', "$name - delivered then")
		foreach 'b', 'c';
	is(sent("$name-$_"), '200 duplicate', "$name - remembered")
		foreach 'a', 'b';
	is(wrong(@kept), '', "$name - the file is as good as it was");
	cmp_ok(metric('state_write_errors_total', zone => 'events'), '>',
		$errors, "$name - counted");

	# other workers go on with it

	ok($t->reload(), "$name - reloaded");
	is(sent("$name-a"), '200 duplicate', "$name - remembered by others");

	$t->faults();

	push @kept, map { "$name-$_" } qw/ a b c /;
	ok(written(@kept), "$name - complete when there is room");
}

###############################################################################

# There is no room until the end: what was not written is delivered again, and
# that is all.

$t->faults('pwrite 0 events.state ' . ENOSPC);

is(sent('unwritten'), '200 proxied', 'stopped - delivered');

$t->stop();
is(wrong(@kept), '', 'stopped - the file is as good as it was');

$t->faults();
$t->run();

is(join(' ', grep { sent($_) ne '200 duplicate' } @kept), '',
	'stopped - what is in the file is known');
is(join(', ', map { sent('unwritten') } 1, 2), '200 proxied, 200 duplicate',
	'stopped - what is not is delivered again');

# nor is there any for a file of another size, which is made when there is

$t->faults('pwrite 0 .state ' . ENOSPC);
conf('64k');
ok($t->reload(), 'resized - reloaded');
is(join(', ', map { sent('resized') } 1, 2), '200 proxied, 200 duplicate',
	'resized - works');
is(wrong(@kept), '', 'resized - the file is as good as it was');

$t->faults();
ok($t->reload(), 'resized - reloaded with room');
ok(written(@kept, 'unwritten', 'resized'), 'resized - complete');

###############################################################################

sub conf {
	my ($size) = @_;

	$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

worker_processes  1;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:$size state=%%TESTDIR%%/state/events.state;

    webhook_in_flight_wait  0;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /hook {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=events key=hook;
            proxy_pass      http://127.0.0.1:8081;
        }
    }

    server {
        listen       127.0.0.1:8088;
        server_name  localhost;

        location /webhooks {
            webhook_monitor;
        }
    }
}

EOF
}

sub sent {
	my ($id) = @_;

	$accepted{state_key('nextpay', 'key', 'hook', '', $id)} = $id;

	return came_of($u, sub {
		deliver('nextpay', $secret, "{\"id\":\"$id\"}", uri => '/hook')
	});
}

# what is wrong with the file, in which these are to be

sub wrong {
	my (@ids) = @_;

	my $keys = state_keys($t->read_file('state/events.state'));

	return $keys if !ref $keys;

	my %there = map { ($accepted{$_} || 'invented') => 1 } @$keys;

	return join ' ', (delete $there{invented} ? 'invented' : ()),
		map { $there{$_} ? () : "no $_" } @ids;
}

sub written {
	my (@ids) = @_;

	return wait_until(sub { wrong(@ids) eq '' });
}

###############################################################################
