{{ person_appearances() }}
