#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for two primaries that do not see each other: each side remembers for
# itself, and when one of them has become a replica of the other one, which
# takes what it knew away, that one is told.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Fleet;
use Test::Nginx::Redis;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/);
my $redis = Test::Nginx::Redis->new(8379, 'repl-diskless-sync-delay' => 0);
my $second = Test::Nginx::Redis->new(8381, 'repl-diskless-sync-delay' => 0);

$t->plan(23);

my $other = Test::Nginx->new();

# each server sees another one first

$t->write_file_expand('nginx.conf', fleet_conf(
	store => 'server 127.0.0.1:8379; server 127.0.0.1:8381;'));
$other->write_file_expand('nginx.conf', fleet_conf(port => 8180,
	store => 'server 127.0.0.1:8381; server 127.0.0.1:8379;'));

my $u = upstream(8081);

foreach ($t, $other) {
	$_->run();
	$_->wait_log(qr/\[notice\] .*fleet.* is up/)
		or die "no store\n";
}

my $new = '200 PASSED MINE 1';
my $known = '200 DUPLICATE already_delivered 0';
my $elsewhere = '200 DUPLICATE already_delivered DONE 0';

###############################################################################

# each side for itself

is(event($u, 'both'), $new, 'one side');
is(event($u, 'both'), $known, 'one side - once');
is(event($u, 'both', port => 8180), $new, 'the other side');
is(event($u, 'both', port => 8180), $known, 'the other side - once');

is(event($u, 'here'), $new, 'on one side');
is(event($u, 'there', port => 8180), $new, 'on the other side');

is(event($u, 'fails', port => 8180, answer => 500), '500 PASSED MINE 1',
	'refused on the other side');

ok(has($redis, 'both', 'here'), 'what one store knows');
ok(has($second, 'both', 'there'), 'what the other store knows');

# an event that is with the application meanwhile

$u->reset()->script('hang');

my $c = event_request('under way', port => 8180, send_only => 1);
$u->wait_for(1);

# the other one becomes a replica, and has what the first one knows

my $from = $other->log_pos();

$second->command('REPLICAOF', '127.0.0.1', $redis->port());
ok(wait_until(sub { $second->command('INFO', 'replication')
	=~ /^master_link_status:up/m }), 'replica - in step');

# its clients notice by what it answers

event_request("notice-$_", port => 8180) foreach 1 .. 50;

my $port = $redis->port();

ok($other->wait_log(qr/\[notice\] .*fleet.* is up: server 127\.0\.0\.1:$port/,
	from => $from), 'replica - left');
like(($other->lines(qr/\[error\] .*fleet.* is down/, from => $from))[0],
	qr/READONLY|no primary/, 'replica - why');

# the first one is told what the other side has accepted

ok(has($redis, qw/ both here there /), 'one primary - told');

# what was under way is told to it too

$u->release();
is(told($c->response()), '200 PASSED MINE', 'under way - accepted');
ok(has($redis, 'under way'), 'under way - told');
is(event($u, 'under way'), $elsewhere, 'under way - a duplicate');

is(event($u, 'there'), $elsewhere, 'one primary - of the other side');
is(event($u, 'here', port => 8180), $elsewhere, 'one primary - of this side');
is(event($u, 'both'), $known, 'one primary - of both');
is(event($u, 'fails'), $new, 'one primary - what was refused is new');

is(event($u, 'after', port => 8180), $new, 'goes on');
ok(has($redis, 'after'), 'goes on - told');
is(event($u, 'after'), $elsewhere, 'goes on - on both sides');

###############################################################################

sub has {
	my ($store, @ids) = @_;

	return wait_until(sub {
		!grep { ($store->command('GET', event_key($_)) || '') !~ /^d:/ }
			@ids;
	});
}

###############################################################################
