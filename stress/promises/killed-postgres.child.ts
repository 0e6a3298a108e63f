import '../../__test__/fixtures/postgres-work.ts'
