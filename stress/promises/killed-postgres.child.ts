import '../../__test__/postgres/fixtures/work.ts'
