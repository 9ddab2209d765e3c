#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for a store that wants to know who asks: users, passwords, TLS.  None of
# the secrets is in a log.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Fleet;
use Test::Nginx::Monitor;
use Test::Nginx::Redis;
use Test::Nginx::Store;
use Test::Nginx::Webhook;

use IO::Socket::INET;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http http_ssl proxy/)
	->allow(qr/SSL_\w+\(\) failed .*certificate required/);

my $dir = $t->testdir();
my $password = 'password-of-the-store-4711';

# a CA, and what it has signed

$t->write_file('openssl.conf', <<'EOF');
[ req ]
prompt = no
distinguished_name = name
x509_extensions = ca
[ name ]
CN = none
[ ca ]
basicConstraints = critical,CA:TRUE
keyUsage = keyCertSign
[ server ]
subjectAltName = DNS:store.example.com,DNS:localhost
[ client ]
extendedKeyUsage = clientAuth
EOF

my $openssl = "openssl req -config $dir/openssl.conf -x509 -nodes -days 2"
	. ' -newkey ec -pkeyopt ec_paramgen_curve:prime256v1';

foreach my $name (qw/ ca other /) {
	system("$openssl -subj /CN=$name -keyout $dir/$name.key"
		. " -out $dir/$name.crt >>$dir/openssl.out 2>&1") == 0
		or die "Can't create a certificate\n";
}

foreach my $name (qw/ server client /) {
	system("openssl req -config $dir/openssl.conf -new -nodes -newkey ec"
		. ' -pkeyopt ec_paramgen_curve:prime256v1'
		. " -subj /CN=$name -keyout $dir/$name.key -out $dir/$name.csr"
		. " >>$dir/openssl.out 2>&1 && openssl x509 -req -days 2"
		. " -in $dir/$name.csr -CA $dir/ca.crt -CAkey $dir/ca.key"
		. " -CAcreateserial -extfile $dir/openssl.conf"
		. " -extensions $name -out $dir/$name.crt"
		. " >>$dir/openssl.out 2>&1") == 0
		or die "Can't create a certificate\n";
}

# the user of the documentation, and those that lack something

my ($acl) = project_text('docs/fleet.md')
	=~ /ACL SETUSER nginx on >the-password (.*)/;

my $redis = Test::Nginx::Redis->new(8379,
	'user' => [
		"nginx on >$password $acl",
		"noinfo on >$password ~webhook:fleet:*"
			. ' +set +get +del +eval +ping +select',
		"noeval on >$password ~webhook:fleet:*"
			. ' +set +get +del +info +ping +select',
		"nokeys on >$password ~other:*"
			. ' +set +get +del +eval +info +ping +select',
		'admin on nopass ~* &* +@all',
		'default off',
	],
	'tls-port' => Test::Nginx::port(8383),
	'tls-cert-file' => "$dir/server.crt",
	'tls-key-file' => "$dir/server.key",
	'tls-ca-cert-file' => "$dir/ca.crt",
	'tls-auth-clients' => 'optional',
);

$t->plan(52);

$redis->command('AUTH', 'admin', 'any');

my $store = Test::Nginx::Store->new(8380, 8379);

$t->write_file('password', "$password\n");
$t->write_file('password-crlf', "$password\r\n");
$t->write_file('wrong', "another-password-4711\n");
chmod 0600, map { "$dir/$_" } qw/ password password-crlf wrong /;

my $u = upstream(8081);
my $from;

###############################################################################

# the user that the documentation tells to make, and the least it needs

ok(start("server 127.0.0.1:8380; user nginx; password file:password;"),
	'user');
is(($store->commands(qr/^AUTH/))[0]{text}, "AUTH nginx $password",
	'user - tells who it is');
is(event($u, 'user'), '200 PASSED MINE 1', 'user - accepted');
is(event($u, 'user-fails', answer => 500) . ', ' . event($u, 'user-fails'),
	'500 PASSED MINE 1, 200 PASSED MINE 1', 'user - not accepted');

my $forget = 'zone=events&id=' . event_key('user') =~ s/.*://r;

is(monitor($forget, method => 'DELETE', headers => [ [ 'Webhook-Forget',
	'events' ] ])->{status}, 200, 'user - forgotten');
is(event($u, 'user'), '200 PASSED MINE 1', 'user - and new');

ok(start("server 127.0.0.1:8380; database 1; user nginx;"
	. " password file:password-crlf;"), 'user - database');
ok(start("server 127.0.0.1:8380; user noinfo; password file:password;"),
	'user - without INFO');
is(event($u, 'noinfo'), '200 PASSED MINE 1', 'user - without INFO');

foreach my $user (qw/ noeval nokeys /) {
	ok(!start("server 127.0.0.1:8380; user $user; password file:password;"),
		"user - $user");
	like(why(), qr/NOPERM/, "user - $user");
}

ok(!start("server 127.0.0.1:8380; user nobody; password file:password;"),
	'user - of that name is none');
like(why(), qr/WRONGPASS/, 'user - of that name is none');

ok(!start("server 127.0.0.1:8380; user nginx; password file:wrong;"),
	'wrong password');
like(why(), qr/WRONGPASS/, 'wrong password - why');

# what the server echoes is not logged

$store->on(qr/^AUTH/, { reply => "-ERR not $password, you\r\n" });
ok(!start("server 127.0.0.1:8380; user nginx; password file:password;"),
	'echo');
like(why(), qr/fleet/, 'echo - down');
unlike(why(), qr/\Q$password/, 'echo - not logged');

$store->reset()->on(qr/^AUTH/, { reply => "-$password\r\n" });
start("server 127.0.0.1:8380; user nginx; password file:password;");
$store->reset();

# none

ok(!start("server 127.0.0.1:8380;"), 'no password');
like(why(), qr/NOAUTH/, 'no password - why');

# a password alone is that of the default user

$redis->command('ACL', 'SETUSER', 'default', 'on', ">$password", '~*', '+@all');

ok(start("server 127.0.0.1:8380; password file:password;"), 'password');
is(($store->commands(qr/^AUTH/))[-1]{text}, "AUTH $password",
	'password - alone');
ok(start("server 127.0.0.1:8380; password env:STORE_PASSWORD;",
	env => $password), 'password - of the environment');

###############################################################################

# TLS

my $auth = 'user nginx; password file:password;';
my $tls = "server 127.0.0.1:8383; $auth ssl on;";

ok(start("$tls ssl_name store.example.com; ssl_trusted_certificate ca.crt;"),
	'TLS');
is(event($u, 'tls'), '200 PASSED MINE 1', 'TLS - used');
is(event($u, 'tls-fails', answer => 500) . ', ' . event($u, 'tls-fails'),
	'500 PASSED MINE 1, 200 PASSED MINE 1', 'TLS - not accepted');

ok(!start("$tls ssl_name store.example.com; ssl_trusted_certificate other.crt;"),
	'TLS - of another CA');
like(why(), qr/certificate|verify/i, 'TLS - of another CA');

ok(!start("$tls ssl_name another.example.com; ssl_trusted_certificate ca.crt;"),
	'TLS - of another name');
like(why(), qr/certificate|name|match/i, 'TLS - of another name');

ok(!start("$tls ssl_name store.example.com;"),
	'TLS - of no CA that the system knows');

ok(start("$tls ssl_verify off;"), 'TLS - not verified');
is(event($u, 'not verified'), '200 PASSED MINE 1', 'TLS - not verified');

# without another name it is that of the server

my $port = Test::Nginx::port(8383);

ok(start("server localhost:$port; $auth ssl on; ssl_trusted_certificate ca.crt;"),
	'TLS - name of the server');
is(event($u, 'of the server'), '200 PASSED MINE 1',
	'TLS - name of the server, used');

# which is asked for, as an address is not; and by no older versions

foreach my $case (
	[ '127.0.0.1', 'ssl_name store.example.com;' => 'store.example.com' ],
	[ 'localhost', '' => 'localhost' ],
	[ '127.0.0.1', 'ssl_verify off;' => undef ],
) {
	my ($server, $more, $name) = @$case;
	my $hello = hello($server, $more);

	if (defined $name) {
		like($hello, qr/\0\0....\0\0.\Q$name\E/s, "TLS - SNI $name");

	} else {
		unlike($hello, qr/\Q$server/, 'TLS - no SNI');
		next;
	}

	like($hello, qr/\0\x2b\0\x05\x04\x03\x04\x03\x03/,
		"TLS - versions, $name");
}

# a server that speaks none

ok(!start("server 127.0.0.1:8380; $auth ssl on; ssl_verify off;"),
	'TLS - not spoken');
ok(!start("server 127.0.0.1:8383; $auth"), 'TLS - not expected');

# a certificate of ours

$redis->command('CONFIG', 'SET', 'tls-auth-clients', 'yes');

ok(!start("$tls ssl_name store.example.com; ssl_trusted_certificate ca.crt;"),
	'client certificate - missing');
ok(start("$tls ssl_name store.example.com; ssl_trusted_certificate ca.crt;"
	. ' ssl_certificate client.crt; ssl_certificate_key client.key;'),
	'client certificate');
is(event($u, 'client'), '200 PASSED MINE 1', 'client certificate - used');

# the connection is closed, and made again

$from = $t->log_pos();
$redis->command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
ok($t->wait_log(qr/\[notice\] .*fleet/, from => $from), 'TLS - again');
is(event($u, 'again'), '200 PASSED MINE 1', 'TLS - used again');

###############################################################################

# nothing of it is in a log, at any level

my $logs = join '', map { $t->read_file($_) }
	qw/ error.log nginx.out verdict.log access.log /;

is(scalar(() = $logs =~ /\Q$password/g), 0, 'not logged');
is(scalar(() = $logs =~ /another-password/g), 0, 'not logged - a wrong one');
is(scalar(() = $logs =~ /\Q$Test::Nginx::Fleet::SECRET/g), 0,
	'not logged - secrets of providers');

###############################################################################

# whether the store can be used

sub start {
	my ($block, %opts) = @_;

	local $ENV{STORE_PASSWORD} = $opts{env} if defined $opts{env};

	$t->write_file_expand('nginx.conf', fleet_conf(store => $block,
		main => 'env STORE_PASSWORD;', http => 'server {'
			. ' listen 127.0.0.1:8088; location = /webhooks {'
			. ' webhook_monitor write=on; } }'));

	$t->stop();
	$from = $t->log_pos();
	$t->run();

	my $line;

	wait_until(sub {
		($line) = $t->lines(qr/\[(?:notice|error)\] .*fleet/,
			from => $from);
	});

	return $line && $line =~ /\[notice\]/;
}

# what a connection begins with

sub hello {
	my ($server, $more) = @_;

	my $port = Test::Nginx::port(8384);

	$t->stop();

	my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
		LocalPort => $port, Listen => 5, ReuseAddr => 1)
		or die "Can't listen: $!\n";

	start("server $server:$port; ssl on; $more connect_timeout 200ms;");

	$s->timeout(10);

	my $c = $s->accept() or return '';
	my $hello = '';

	1 while sysread($c, $hello, 65536, length $hello);

	return $hello;
}

# why not

sub why {
	return ($t->lines(qr/\[error\] .*fleet/, from => $from))[0] || '';
}

###############################################################################
